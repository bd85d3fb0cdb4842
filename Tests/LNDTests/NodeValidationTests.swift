import Payments
import Testing

@testable import LND

@Suite("Validation of a node")
struct NodeValidationTests {
    private let validation = NodeValidation(pubkey: Samples.node, network: "regtest")

    private func problem(_ change: (inout NodeValidation.Facts) -> Void) -> NodeProblem? {
        var facts = Samples.facts
        change(&facts)
        guard case .refused(let problem) = validation.judge(facts) else { return nil }
        return problem
    }

    private func warnings(_ change: (inout NodeValidation.Facts) -> Void) -> [NodeProblem]? {
        var facts = Samples.facts
        change(&facts)
        guard case .accepted(let info) = validation.judge(facts) else { return nil }
        return info.warnings
    }

    @Test("accepts a node that is as it should be, without a warning")
    func accepts() {
        let info = NodeInfo(
            pubkey: Samples.node, alias: "alice", network: "regtest", version: LNDVersion(0, 21, 2), blockHeight: 700, warnings: [])
        #expect(validation.judge(Samples.facts) == .accepted(info))
    }

    @Test("takes upper-case hex of the key")
    func upperCase() {
        #expect(problem { $0.identityPubkey = $0.identityPubkey.uppercased() } == nil)
    }

    @Test("refuses another node, naming both keys", arguments: ["03" + String(repeating: "11", count: 32), "", "no key\u{1b}[2J"])
    func wrongKey(key: String) throws {
        let problem = try #require(problem { $0.identityPubkey = key })
        #expect(problem.reason.contains(Samples.node.hex))
        #expect(!problem.reason.contains("\u{1b}"))
        #expect(problem.remedy.contains("pubkey"))
    }

    @Test("refuses a node on another network", arguments: [["mainnet"], ["testnet", "signet"], []])
    func wrongNetwork(networks: [String]) throws {
        let problem = try #require(problem { $0.networks = networks })
        #expect(problem.reason.contains("regtest"))
        #expect(problem.remedy.contains("network"))
    }

    @Test("refuses a node that gives up held HTLCs while nobody intercepts")
    func interceptorNotRequired() throws {
        let problem = try #require(problem { $0.requiresInterceptor = false })
        #expect(problem.reason.contains("require_htlc_interceptor"))
        #expect(problem.remedy.contains("requireinterceptor=true"))
    }

    @Test("refuses a node that does not store final resolutions")
    func resolutionsNotStored() throws {
        let problem = try #require(problem { $0.storesResolutions = false })
        #expect(problem.reason.contains("store_final_htlc_resolutions"))
        #expect(problem.remedy.contains("store-final-htlc-resolutions=true"))
    }

    @Test("refuses a node without chainrpc", arguments: [[], ["invoicesrpc", "routerrpc"]])
    func tagMissing(tags: [String]) throws {
        let problem = try #require(problem { $0.buildTags = tags })
        #expect(problem.reason.contains("chainrpc"))
        #expect(problem.remedy.contains("chainrpc"))
    }

    @Test("refuses what is older than 0.16", arguments: [LNDVersion(0, 15, 5), LNDVersion(0, 16, 0, candidate: 1), LNDVersion(0, 0, 1)])
    func tooOld(version: LNDVersion) throws {
        let problem = try #require(problem { $0.version = version })
        #expect(problem.reason.contains("0.16.0"))
        #expect(problem.remedy.contains("upgrade"))
    }

    @Test("warns of releases that forget offers on chain", arguments: [
        LNDVersion(0, 16, 0), LNDVersion(0, 18, 5), LNDVersion(0, 20, 1), LNDVersion(0, 20, 2, candidate: 1), LNDVersion(0, 21, 0), LNDVersion(0, 21, 1, candidate: 2),
    ])
    func warnsOfOldRelease(version: LNDVersion) {
        #expect(warnings { $0.version = version }?.count == 1)
    }

    @Test("does not warn of those that keep them", arguments: [LNDVersion(0, 20, 2), LNDVersion(0, 20, 3), LNDVersion(0, 21, 1), LNDVersion(0, 22, 0), LNDVersion(1, 0, 0)])
    func goodRelease(version: LNDVersion) {
        #expect(warnings { $0.version = version } == [])
    }

    @Test("warns if the version cannot be read or the chain is not synced")
    func otherWarnings() {
        #expect(warnings { $0.version = nil }?.count == 1)
        #expect(warnings { $0.isSyncedToChain = false }?.count == 1)
    }

    @Test("tells all that is wrong with the settings at once")
    func tellsAll() throws {
        let problem = try #require(problem {
            $0.requiresInterceptor = false
            $0.storesResolutions = false
            $0.buildTags = []
        })
        for remedy in ["requireinterceptor=true", "store-final-htlc-resolutions=true", "tags=chainrpc"] {
            #expect(problem.remedy.contains(remedy))
        }
    }

    @Test("an alias cannot write control characters into a log")
    func alias() throws {
        var facts = Samples.facts
        facts.alias = "a\nb\u{1b}[31m" + String(repeating: "x", count: 500)
        guard case .accepted(let info) = validation.judge(facts) else { throw Failure.unexpected }
        #expect(info.alias.hasPrefix("a b [31m"))
        #expect(info.alias.unicodeScalars.count == 64)
    }
}

@Suite("Versions of LND")
struct LNDVersionTests {
    @Test("are read from what nodes say", arguments: [
        ("0.21.2-beta commit=v0.21.2-beta", LNDVersion(0, 21, 2)),
        ("v0.20.3-beta.rc1", LNDVersion(0, 20, 3, candidate: 1)),
        ("0.16.0-beta.rc12 commit=v0.16", LNDVersion(0, 16, 0, candidate: 12)),
        ("0.18.5-beta+umbrel.3", LNDVersion(0, 18, 5)),
        ("0.19.1-btcpay-beta", LNDVersion(0, 19, 1)),
        ("0.19", LNDVersion(0, 19, 0)),
        ("1.2.3", LNDVersion(1, 2, 3)),
        ("0.20.99-beta.rc", LNDVersion(0, 20, 99, candidate: 0)),
    ])
    func reads(text: String, version: LNDVersion) {
        #expect(LNDVersion(text) == version)
    }

    @Test("are not found in other words", arguments: ["", "v", "beta", "0", "0.", ".1.2", "0.x.1", "0.99999999999.1", "-1.2.3", "0.1.99999999999"])
    func rejects(text: String) {
        #expect(LNDVersion(text) == nil)
    }

    @Test("a candidate comes before its release, and rc10 after rc9")
    func order() {
        let ordered = [
            LNDVersion(0, 15, 5), LNDVersion(0, 16, 0, candidate: 9), LNDVersion(0, 16, 0, candidate: 10), LNDVersion(0, 16, 0),
            LNDVersion(0, 16, 1), LNDVersion(0, 17, 0), LNDVersion(1, 0, 0),
        ]
        #expect(ordered.shuffled().sorted() == ordered)
    }

    @Test("the words of GetVersion are read as such", arguments: [("beta", nil), ("beta.rc2", 2), ("rc3", 3), ("", nil), ("arc5", nil), ("beta.march", nil)] as [(String, UInt32?)])
    func preRelease(text: String, candidate: UInt32?) {
        #expect(LNDVersion(0, 21, 0, preRelease: text).candidate == candidate)
    }
}
