internal import Lightning
internal import Loop
internal import Payments

/// What the nodes can send and receive, asked at intervals while they are connected.
@LoopActor
final class NodeLiquidity {
    /// As a node has told last.
    struct Standing: Equatable {
        var balances = NodeBalances()
        var isSynced = true
    }

    private let nodes: [any LightningNode]
    /// Whether a node may be given something new: connected, and not draining.
    private let isOpen: @LoopActor (PublicKey) -> Bool
    private(set) var standings: [PublicKey: Standing] = [:]
    private var asking: Set<PublicKey> = []

    init(nodes: [any LightningNode], isOpen: @escaping @LoopActor (PublicKey) -> Bool) {
        self.nodes = nodes
        self.isOpen = isOpen
    }

    /// Asks all that can be asked.
    func refresh() {
        for node in nodes { refresh(node.pubkey) }
    }

    func refresh(_ key: PublicKey) {
        guard let node = nodes.first(where: { $0.pubkey == key }) else { return }
        guard node.isReachable else { return standings[key] = nil }
        guard asking.insert(key).inserted else { return }
        node.describe { [self] described in
            node.balances { [self] balances in
                asking.remove(key)
                // A node that does not tell is taken as one that can.
                guard node.isReachable, case .success(let balances) = balances else { return standings[key] = nil }
                let isSynced = if case .success(let description) = described { description.isSyncedToChain } else { true }
                standings[key] = Standing(balances: balances, isSynced: isSynced)
            }
        }
    }

    // MARK: Receiving

    /// Why an invoice should not lead to a node that is connected; `nil` if nothing speaks against it.
    func complaint(about key: PublicKey) -> Complaint? {
        guard let standing = standings[key] else { return nil }
        if !standing.isSynced { return .unsynced }
        return standing.balances.channelRemote == .zero ? .noInbound : nil
    }

    enum Complaint: String { case unsynced, noInbound = "no_inbound" }

    /// What can come in through the node, as far as that is known.
    func inbound(_ key: PublicKey) -> Millisatoshis { standings[key]?.balances.channelRemote ?? .zero }

    // MARK: Sending

    /// The node with the most to spare that can pay it. `mayChange`: one that cannot now may be able to later.
    func choose(
        _ intent: PayoutIntent, excluding tried: [PublicKey], reserved: [PublicKey: Millisatoshis]
    ) -> (node: PublicKey?, mayChange: Bool) {
        var best: (key: PublicKey, spare: Millisatoshis)?
        var mayChange = false
        for node in nodes {
            let key = node.pubkey
            // LND does not pay itself.
            guard !tried.contains(key), key != intent.destination, intent.onlyNode.map({ $0 == key }) ?? true else { continue }
            guard node.isReachable, isOpen(key), let standing = standings[key], standing.isSynced, node.capabilities.contains(.payments) else {
                mayChange = true
                continue
            }
            let spare = standing.balances.channelLocal.beyond(reserved[key] ?? .zero)
            guard spare >= intent.reserve else {
                mayChange = mayChange || standing.balances.channelLocal >= intent.reserve
                continue
            }
            if best.map({ spare > $0.spare }) ?? true { best = (key, spare) }
        }
        return (best?.key, mayChange)
    }
}
