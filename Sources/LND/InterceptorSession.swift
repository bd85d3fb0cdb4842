import Payments

/// What one interceptor stream holds, and which answers may be sent on it.
///
/// LND ends the whole stream for a single bad answer, so each is checked here first. The value lives as long as the
/// stream: with a new stream everything is offered again.
struct InterceptorSession: Equatable {
    struct Held: Equatable {
        var paymentHash: PaymentHash
        var autoFailHeight: Int32
        var isOnChain: Bool
    }

    /// What to do with an HTLC that was just offered.
    enum Disposal: Equatable {
        /// It is addressed to the virtual node: held until somebody answers.
        case hold(InterceptedHTLC)
        /// It is a forward like any other.
        case resume(Circuit)
        /// It is ours, but nothing can be decided about it.
        case failTemporarily(Circuit)
        /// Somebody else's HTLC on chain: resuming or failing it would end the stream.
        case leave
    }

    /// `incoming_circuit_key`, which is unique on one node.
    struct Circuit: Hashable {
        var chanID: UInt64
        var htlcID: UInt64
    }

    /// A message for the stream.
    struct Reply: Equatable {
        enum Action: Equatable {
            case settle(Preimage)
            case fail(message: [UInt8])
            case failTemporarily
            case failBadOnion(Answer.BadOnion)
            case resume
        }
        var circuit: Circuit
        var action: Action
    }

    enum Judgement: Equatable {
        case send(Reply)
        case notHeld
        case refused(AnswerRefusal)
    }

    /// LND's length of an encrypted failure: HMAC, two lengths, and 256 bytes of message and padding.
    static let failureLength = 292

    let node: PublicKey
    let virtualChannelID: UInt64
    private(set) var held: [Circuit: Held] = [:]

    init(node: PublicKey) {
        self.node = node
        virtualChannelID = VirtualChannel.id(of: node)
    }

    /// Whether an HTLC is ours follows from the requested channel alone, so that it is the same after every restart:
    /// what was resumed once may be on its way already and must never be settled or failed.
    mutating func offered(_ offer: WireOffer) -> Disposal {
        let circuit = offer.circuit
        held[circuit] = nil
        guard offer.requestedChannelID == virtualChannelID else { return offer.isOnChain ? .leave : .resume(circuit) }
        guard let htlc = offer.htlc(at: node) else { return offer.isOnChain ? .leave : .failTemporarily(circuit) }
        held[circuit] = Held(paymentHash: htlc.paymentHash, autoFailHeight: htlc.autoFailHeight, isOnChain: htlc.isOnChain)
        return .hold(htlc)
    }

    /// Forgets what the node has failed by itself: an answer to that would end the stream.
    ///
    /// HTLCs on chain are dropped by the same rule: their height is the expiry, or zero with releases that evict them
    /// with the next block.
    mutating func heightReached(_ height: UInt32) {
        held = held.filter { Int64($0.value.autoFailHeight) > Int64(height) }
    }

    /// Takes the circuit out of the session if the answer may be sent.
    mutating func answer(_ key: CircuitKey, with answer: Answer, by hash: any SHA256Digest.Type) -> Judgement {
        let circuit = Circuit(chanID: key.chanID, htlcID: key.htlcID)
        guard key.node == node, let htlc = held[circuit] else { return .notHeld }
        let action: Reply.Action
        switch answer {
        case .settle(let preimage, let paymentHash):
            let digest = preimage.bytes.withSpan { hash.sha256($0) }
            guard paymentHash == htlc.paymentHash, digest == htlc.paymentHash.bytes else { return .refused(.preimageMismatch) }
            action = .settle(preimage)
        case _ where htlc.isOnChain:
            return .refused(.onChain)
        case .fail(let message):
            guard message.count == Self.failureLength else { return .refused(.failureLength(message.count)) }
            action = .fail(message: message)
        case .failTemporarily:
            action = .failTemporarily
        case .failBadOnion(let reason):
            action = .failBadOnion(reason)
        case .resume:
            action = .resume
        }
        held[circuit] = nil
        return .send(Reply(circuit: circuit, action: action))
    }
}
