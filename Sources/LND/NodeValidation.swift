import Payments

/// The rules by which a node is accepted; asked at every connect, since a node may come back with other settings.
struct NodeValidation: Equatable {
    /// From GetInfo and GetVersion.
    struct Facts: Equatable {
        var identityPubkey: String
        var alias: String
        var networks: [String]
        var blockHeight: UInt32
        var isSyncedToChain: Bool
        var requiresInterceptor: Bool
        var storesResolutions: Bool
        var version: LNDVersion?
        var buildTags: [String]
    }

    enum Verdict: Equatable {
        case accepted(NodeInfo)
        case refused(NodeProblem)
    }

    /// LookupHtlcResolution, the final events and `auto_fail_height` came with it.
    static let floor = LNDVersion(0, 16, 0)

    var pubkey: PublicKey
    var network: String

    /// A node that is not the one that was named is refused for that alone; otherwise all that is wrong is told at once.
    func judge(_ facts: Facts) -> Verdict {
        if let problem = identityProblem(facts) { return .refused(problem) }
        let problems = settingProblems(facts)
        guard problems.isEmpty else {
            return .refused(NodeProblem(
                reason: problems.map(\.reason).joined(separator: "; "),
                remedy: problems.map(\.remedy).joined(separator: "; ")))
        }
        return .accepted(NodeInfo(
            pubkey: pubkey, alias: PlainText.of(facts.alias, limit: 64), network: network, version: facts.version,
            blockHeight: facts.blockHeight, warnings: warnings(facts)))
    }

    private func identityProblem(_ facts: Facts) -> NodeProblem? {
        guard PublicKey(hex: facts.identityPubkey) == pubkey else {
            return NodeProblem(
                reason: "the node at this address is \(PlainText.of(facts.identityPubkey, limit: 66)), not \(pubkey)",
                remedy: "correct `address` or `pubkey` of the node")
        }
        guard facts.networks.contains(network) else {
            let names = facts.networks.map { PlainText.of($0, limit: 16) }.joined(separator: ", ")
            return NodeProblem(
                reason: "the node is on \(names.isEmpty ? "no named network" : names), the gateway on \(network)",
                remedy: "set `network` to the node's, or name a node on \(network)")
        }
        return nil
    }

    private func settingProblems(_ facts: Facts) -> [NodeProblem] {
        var problems: [NodeProblem] = []
        if let version = facts.version, version < Self.floor {
            problems.append(NodeProblem(
                reason: "lnd \(version) is too old, \(Self.floor) is the oldest that works",
                remedy: "upgrade lnd to 0.20.2-beta, 0.21.1-beta or later"))
        }
        if !facts.requiresInterceptor {
            problems.append(NodeProblem(
                reason: "require_htlc_interceptor is off: while the gateway is away, held HTLCs would be given up",
                remedy: "set requireinterceptor=true in lnd.conf and restart lnd"))
        }
        if !facts.storesResolutions {
            problems.append(NodeProblem(
                reason: "store_final_htlc_resolutions is off: the end of a payment could not be looked up",
                remedy: "set store-final-htlc-resolutions=true in lnd.conf and restart lnd"))
        }
        // `routerrpc` is compiled into every release that is new enough and need not be listed.
        if !facts.buildTags.contains("chainrpc") {
            problems.append(NodeProblem(
                reason: "lnd was built without the tag chainrpc, so it cannot tell of new blocks",
                remedy: "use an official release of lnd, or build it with tags=chainrpc"))
        }
        return problems
    }

    private func warnings(_ facts: Facts) -> [NodeProblem] {
        var warnings: [NodeProblem] = []
        if let version = facts.version {
            let lacksOnChainFix = version < LNDVersion(0, 20, 2)
                || (version.major == 0 && version.minor == 21 && version < LNDVersion(0, 21, 1))
            if lacksOnChainFix {
                warnings.append(NodeProblem(
                    reason: "lnd \(version) forgets HTLCs it offers on chain, so one may be lost when a channel closes",
                    remedy: "upgrade lnd to 0.20.2-beta, 0.21.1-beta or later"))
            }
        } else {
            warnings.append(NodeProblem(
                reason: "the node's version could not be read",
                remedy: "make sure that lnd is 0.20.2-beta, 0.21.1-beta or later"))
        }
        if !facts.isSyncedToChain {
            warnings.append(NodeProblem(
                reason: "the node is not synced to the chain",
                remedy: "wait, or check the node's bitcoin backend"))
        }
        return warnings
    }
}
