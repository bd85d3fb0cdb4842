internal import Keys
internal import LND
internal import Ledger
internal import Lightning
internal import Loop
public import Payments
internal import Wire

/// Why a payout was not made.
public enum PayoutRefusal: Error, Equatable, Sendable {
    case hashIsTaken
    case purposeIsTaken
    case balanceTooLow
    case budgetTooLow
    case ownInvoice
    case tooManyUnderWay
    /// Whether it was made is not known. The same wish again, with the same id, finds it or makes it.
    case unavailable
}

extension PaymentGateway {
    /// Writes a payout, whoever leads; the leader carries it out. Its id makes it one: asked for again with the same id it is found,
    /// as it stands then.
    public func makePayout(_ intent: PayoutIntent, isBounded: Bool, _ done: @escaping @LoopActor (Result<Payout, PayoutRefusal>) -> Void) {
        guard intent.destination != identity.publicKey else { return done(.failure(.ownInvoice)) }
        guard case .connected = ledger.state else { return done(.failure(.unavailable)) }
        let payout = Payout(intent: intent)
        let event = PayoutCodec.event(payout, nodeNames: nodeNames, by: LibCrypto.self)
        ledger.createPayout(intent, isBounded: isBounded, event: event) { [self] result in
            switch result {
            case .failure: done(.failure(.unavailable))
            case .success(.made):
                publisher.catchUp()
                payouts.takeUp(payout)
                done(.success(payout))
            case .success(.repeated):
                ledger.payout(intent.id) { result in
                    guard case .success(let stored?) = result else { return done(.failure(.unavailable)) }
                    done(.success(stored))
                }
            case .success(.hashIsTaken): done(.failure(.hashIsTaken))
            case .success(.tooManyUnderWay): done(.failure(.tooManyUnderWay))
            case .success(.purposeIsTaken): done(.failure(.purposeIsTaken))
            case .success(.balanceTooLow): done(.failure(.balanceTooLow))
            case .success(.budgetTooLow): done(.failure(.budgetTooLow))
            case .success(.ownInvoice): done(.failure(.ownInvoice))
            }
        }
    }

    /// The nodes behind the protocol, by the name or key that somebody gives; the first that can be asked if none is given.
    func lightningNode(_ name: String?) -> (any LightningNode)? {
        guard let name else { return nodes.first { $0.isReachable } ?? nodes.first }
        return nodes.first { $0.name == name || $0.pubkey.hex == name.lowercased() }
    }
}
