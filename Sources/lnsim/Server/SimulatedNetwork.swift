import Keys
import Loop
import Payments

/// All simulated nodes, the chain that they see and the payer who pays through them.
@LoopActor
final class SimulatedNetwork {
    struct Options: Sendable {
        var nodes: Int
        var directory: String
        var network: String
        /// The first node's port, the next ones follow; zero keeps last time's, or lets the system choose.
        var basePort: Int
        var host = "127.0.0.1"
        var height: UInt32 = 800_000
    }

    let nodes: [NodeServer]
    let payer: Payer
    let magazine: Magazine
    let payees: Payees
    private let chain: Chain

    /// What the nodes share.
    @LoopActor
    private final class Chain {
        var blocks: SimulatedChain
        weak var payer: Payer?
        init(height: UInt32) { blocks = SimulatedChain(height: height) }
    }

    init(_ options: Options) throws(NodeDirectory.Failure) {
        let chain = Chain(height: options.height)
        let payees = Payees(network: options.network)
        var nodes: [NodeServer] = []
        for index in 0..<options.nodes {
            let directory = try NodeDirectory(path: "\(options.directory)/\(index)")
            let port = options.basePort > 0 ? options.basePort + index : directory.lastPort ?? 0
            nodes.append(
                NodeServer(
                    directory: directory, settings: NodeSettings(network: options.network),
                    channels: [Self.incomingChannel(of: index), Self.outgoingChannel(of: index)], payees: payees,
                    host: options.host, port: port, mayMove: options.basePort == 0, chain: { chain.blocks },
                    report: { chain.payer?.ended($0, $1) }))
        }
        let payer = Payer(nodes: nodes)
        chain.payer = payer
        (self.nodes, self.payer, self.chain, self.payees) = (nodes, payer, chain, payees)
        magazine = Magazine(payer: payer)
    }

    var tip: SimulatedChain.Block { chain.blocks.tip }
    var height: UInt32 { chain.blocks.height }

    func start() throws {
        for node in nodes { try node.start() }
    }

    func stop() {
        for node in nodes { node.stop() }
    }

    func mine(_ count: UInt32) { announce(chain.blocks.extend(by: count)) }

    /// Goes to a height, if need be by a reorganisation to a lower one.
    func move(to height: UInt32) { announce(chain.blocks.move(to: height)) }

    private func announce(_ blocks: [SimulatedChain.Block]) {
        for block in blocks {
            for node in nodes { node.blockArrived(block) }
        }
    }

    /// An HTLC between two real channels of a node, which its interceptor sees too.
    func sendForeign(through node: Int, amount: Millisatoshis, isOver: @escaping @LoopActor (Payment) -> Void) -> Int {
        let circuit = payer.nextCircuit(at: node)
        let hash = PaymentHash(SecureRandom.bytes32())
        let outgoing = (amount: amount, expiry: height &+ 100)
        let incoming = (amount: amount + Millisatoshis(1000), expiry: outgoing.expiry &+ 80)
        let requested = Self.outgoingChannel(of: node)
        let message = NodeMessages.offer(
            circuit, paymentHash: hash, incoming: incoming, outgoing: outgoing, requestedChanID: requested,
            onion: [0, 2] + SecureRandom.bytes(1364))
        let htlc = SimulatedHTLC(
            circuit: circuit, paymentHash: hash, incomingAmount: incoming.amount, incomingExpiry: incoming.expiry,
            outgoingAmount: outgoing.amount, outgoingExpiry: outgoing.expiry, requestedChanID: requested, message: message,
            part: SimulatedHTLC.Part(payment: payer.nextPaymentID(), index: 0))
        payer.sendForeign(through: node, htlc, isOver: isOver)
        return htlc.part.payment
    }

    /// Through which the payer reaches the node.
    nonisolated static func incomingChannel(of node: Int) -> UInt64 { (700_000 + UInt64(node)) << 40 | 1 << 16 }
    nonisolated static func outgoingChannel(of node: Int) -> UInt64 { (700_000 + UInt64(node)) << 40 | 2 << 16 }
}
