package import Bolt
package import Keys
package import LND
internal import LNURL
package import Payments

/// Opens an intercepted HTLC's onion and finds out whether its payment is one of ours.
///
/// Nothing in here waits or remembers. What it cannot open is answered at once; what carries one of our payment secrets
/// becomes an offer, even if something about it is wrong: only the machine may fail it.
package struct Screening {
    package enum Verdict {
        /// `sharedSecret` encrypts the failure, should there be one.
        case offer(Offer, sharedSecret: Bytes32)
        /// The node itself has to report it: the onion cannot be opened.
        case badOnion(Answer.BadOnion)
        /// The virtual node's failure, as the payer will read it.
        case failure(FailureMessage, sharedSecret: Bytes32)
    }

    let identity: IdentityKey
    let secrets: PaymentSecrets
    let notes: InvoiceNotes
    let policy: RoutingPolicy

    package init(identity: IdentityKey, secrets: PaymentSecrets, policy: RoutingPolicy) {
        self.identity = identity
        self.secrets = secrets
        notes = InvoiceNotes(identity: identity)
        self.policy = policy
    }

    package func judge(_ htlc: InterceptedHTLC, height: UInt32) -> Verdict {
        do throws(Onion.Failure) {
            guard let sharedSecret = identity.sharedSecret(with: try Onion.ephemeralKey(of: htlc.onion)) else { return .badOnion(.key) }
            return try judge(htlc, sharedSecret, height: height)
        } catch {
            return .badOnion(error.badOnion ?? .hmac)
        }
    }

    private func judge(_ htlc: InterceptedHTLC, _ sharedSecret: Bytes32, height: UInt32) throws(Onion.Failure) -> Verdict {
        let peeled: Onion.Peeled
        do throws(Onion.Failure) {
            peeled = try Onion.peel(htlc.onion, sharedSecret: sharedSecret, associatedData: htlc.paymentHash, by: LibCrypto.self)
        } catch .payload {
            return .failure(.invalidOnionPayload(type: 0, offset: 0), sharedSecret: sharedSecret)
        }
        // The virtual node has no channels: there is nobody behind it.
        guard peeled.next == nil else { return .failure(.unknownNextPeer, sharedSecret: sharedSecret) }
        let payload: HopPayload
        do throws(HopPayload.Failure) {
            payload = try HopPayload(decoding: peeled.payload.span, isFinal: true)
        } catch {
            return .failure(error.message, sharedSecret: sharedSecret)
        }
        let unknown = FailureMessage.incorrectOrUnknownPaymentDetails(amount: htlc.outgoingAmount, height: height)
        guard let data = payload.paymentData, let opened = secrets.open(data.secret, for: htlc.paymentHash) else {
            return .failure(unknown, sharedSecret: sharedSecret)
        }
        let held = HeldHTLC(
            circuitKey: htlc.circuitKey, amount: htlc.outgoingAmount, total: data.total, incomingExpiry: htlc.incomingExpiry,
            outgoingExpiry: htlc.outgoingExpiry, autoFailHeight: htlc.autoFailHeight, isOnChain: htlc.isOnChain, fee: htlc.fee)
        let offer = Offer(
            paymentHash: htlc.paymentHash, htlc: held, terms: opened.terms, preimage: opened.preimage,
            refusal: refusal(of: htlc, payload), note: note(in: payload, data.secret))
        return .offer(offer, sharedSecret: sharedSecret)
    }

    /// A payer that brings none, or brings another's, pays all the same.
    private func note(in payload: HopPayload, _ secret: PaymentSecret) -> PayerNote? {
        payload.metadata.flatMap { notes.open($0, for: secret) }.flatMap(PayerNote.init(returned:))
    }

    /// LND checks none of this before it offers an HTLC.
    private func refusal(of htlc: InterceptedHTLC, _ payload: HopPayload) -> Rejection? {
        if !policy.admits(htlc) { return .routingRefused }
        if htlc.outgoingAmount < payload.amount { return .amountBelowOnion }
        if htlc.outgoingExpiry < payload.outgoingExpiry { return .expiryBelowOnion(htlc.outgoingExpiry) }
        return nil
    }
}
