internal import Bolt
internal import Edge
internal import Keys
internal import LND
internal import Ledger
internal import Lightning
internal import Loop
internal import Payments
internal import Wire

// Money out: an account's own payments, whoever asks with which id.
extension GatewayAPI {
    func payouts(_ exchange: Exchange, _ caller: Caller, _ route: PayoutRoute) {
        switch route {
        case .create: createPayment(exchange, caller)
        case .list: listPayments(exchange, caller.account)
        case .show(let id): showPayment(exchange, caller.account, id)
        case .channels: showChannels(exchange)
        case .balance: showBalance(exchange, caller)
        case .peers: showPeers(exchange)
        case .connectPeer: connectPeer(exchange)
        case .nodeInvoices: listNodeInvoices(exchange)
        case .createNodeInvoice: createNodeInvoice(exchange)
        case .decode: decode(exchange)
        }
    }

    private func createPayment(_ exchange: Exchange, _ caller: Caller) {
        let intent: PayoutIntent
        do throws(Problem) {
            intent = try self.intent(exchange, caller)
        } catch {
            return exchange.refuse(error)
        }
        exchange.target = intent.id.text
        gateway.makePayout(intent, isBounded: !caller.isOperator) { [self] result in
            switch result {
            case .success(let payout): respond(exchange, payout, status: 201)
            case .failure(.hashIsTaken): tell(exchange, of: intent)
            case .failure(let refusal): exchange.refuse(refusal.problem)
            }
        }
    }

    /// Which payment the hash has, if it is the account's own: somebody who did not hear the answer must not pay another invoice.
    private func tell(_ exchange: Exchange, of intent: PayoutIntent) {
        ledger.payout(hash: intent.paymentHash, account: intent.account) { result in
            guard case .success(let payout) = result else { return exchange.refuse(.unavailable) }
            exchange.refuse(.paymentExists(payout))
        }
    }

    /// What is asked for, made from the seed of the request's first attempt, so that the same request is the same payment.
    private func intent(_ exchange: Exchange, _ caller: Caller) throws(Problem) -> PayoutIntent {
        let wanted: PaymentRequest
        do throws(FieldError) { wanted = try PaymentRequest(decoding: exchange.request.body) } catch { throw .invalid(error) }
        let seed = exchange.claim?.seed ?? SecureRandom.bytes32()
        let id = PayoutID("pay_" + claimSecrets.secret("payout id", of: seed).hex.prefix(32))
        var onlyNode: PublicKey?
        if let name = wanted.node {
            guard let node = gateway.lightningNode(name) else { throw .invalid(.invalid(field: "node", "is no node of this gateway")) }
            onlyNode = node.pubkey
        }
        // As the store keeps it.
        let createdAt = exchange.claim?.time ?? gateway.now
        guard let text = wanted.paymentRequest else {
            // Nothing else would tell a payment that is asked for again from another one.
            guard exchange.claim != nil else { throw .idempotencyKeyRequired }
            let preimage = Preimage(claimSecrets.secret("payout preimage", of: seed))
            return PayoutIntent(
                id: id, account: caller.account, keyID: caller.keyID, purpose: wanted.purpose,
                paymentHash: PaymentHash(LibCrypto.sha256(preimage.bytes.storage.span)), destination: wanted.destination ?? gateway.identity.publicKey,
                amount: wanted.amount ?? .zero, feeLimit: wanted.feeLimit, spontaneous: preimage, customRecords: wanted.customRecords,
                timeoutSeconds: wanted.timeoutSeconds, onlyNode: onlyNode, createdAt: createdAt)
        }
        // A request that is repeated after the invoice has expired is answered with what became of it, not refused.
        let invoice = try payable(text, at: createdAt)
        let isOpen = invoice.amount == nil
        guard isOpen || wanted.amount == nil || wanted.amount == invoice.amount else {
            throw .invalid(.invalid(field: "amount_msat", "is not what the invoice asks for"))
        }
        guard let amount = invoice.amount ?? wanted.amount else { throw .invalid(.invalid(field: "amount_msat", "must not be missing: the invoice names none")) }
        return PayoutIntent(
            id: id, account: caller.account, keyID: caller.keyID, purpose: wanted.purpose, paymentHash: invoice.paymentHash, destination: invoice.payee,
            amount: amount, feeLimit: wanted.feeLimit, paymentRequest: text, amountIsOpen: isOpen, customRecords: wanted.customRecords,
            timeoutSeconds: wanted.timeoutSeconds, onlyNode: onlyNode, createdAt: createdAt, expiresAt: invoice.expiresAt)
    }

    /// An invoice that may be paid, as a strict reader takes it.
    func payable(_ text: String, at time: UnixTime) throws(Problem) -> Bolt11Invoice {
        let invoice: Bolt11Invoice
        do throws(Bolt11Invoice.Failure) {
            invoice = try Bolt11Invoice(decoding: text, by: LibCrypto.self)
        } catch {
            throw .invalid(.invalid(field: "payment_request", "is no invoice that can be paid: \(error)"))
        }
        guard invoice.network == gateway.settings.network else {
            throw .invalid(.invalid(field: "payment_request", "is of another network: \(invoice.network.rawValue)"))
        }
        guard invoice.expiresAt > time else { throw .invoiceExpired }
        return invoice
    }

    private func listPayments(_ exchange: Exchange, _ account: Int64) {
        if let name = exchange.strangeParameter(known: { ["state", "after", "limit"].contains($0) }) { return exchange.refuse(.strangeParameter(name)) }
        guard let limit = exchange.number("limit", default: 50, in: 1...500) else { return exchange.refuse(.invalidQuery("limit")) }
        guard let after = exchange.number("after", default: 0, in: 0...(.max)) else { return exchange.refuse(.invalidQuery("after")) }
        let name = exchange.request.query["state"]
        let state = name.flatMap { PayoutState(rawValue: $0) }
        guard name == nil || state != nil else { return exchange.refuse(.invalidQuery("state")) }
        ledger.payouts(account: account, state: state, after: after, limit: Int(limit)) { [self] result in
            guard case .success(let page) = result else { return exchange.refuse(.unavailable) }
            var json = JSONWriter()
            json.object { json in
                json.array("payments") { json in
                    for payout in page.payouts { PayoutCodec.append(payout, nodeNames: gateway.nodeNames, to: &json) }
                }
                json.field("next", page.next)
            }
            exchange.respond(json.bytes)
        }
    }

    private func showPayment(_ exchange: Exchange, _ account: Int64, _ id: PayoutID) {
        ledger.payout(id, account: account) { [self] result in
            switch result {
            case .failure: exchange.refuse(.unavailable)
            case .success(nil): exchange.refuse(.unknownPayment)
            case .success(let payout?): respond(exchange, payout)
            }
        }
    }

    private func respond(_ exchange: Exchange, _ payout: Payout, status: Int = 200) {
        var json = JSONWriter()
        PayoutCodec.append(payout, nodeNames: gateway.nodeNames, to: &json)
        exchange.respond(json.bytes, status: status)
    }

    private func decode(_ exchange: Exchange) {
        let invoice: Bolt11Invoice
        do throws(FieldError) {
            let wanted = try DecodeRequest(decoding: exchange.request.body)
            do throws(Bolt11Invoice.Failure) {
                invoice = try Bolt11Invoice(decoding: wanted.paymentRequest, by: LibCrypto.self)
            } catch {
                throw .invalid(field: "payment_request", "is no invoice: \(error)")
            }
        } catch {
            return exchange.refuse(.invalid(error))
        }
        var json = JSONWriter()
        json.object { json in
            json.field("network", invoice.network.rawValue)
            json.field("payment_hash", invoice.paymentHash.bytes)
            json.field("destination", invoice.payee.hex)
            json.field("amount_msat", invoice.amount.map { Int64(clamping: $0.value) })
            switch invoice.description {
            case .text(let text): json.field("description", text)
            case .hash(let hash): json.field("description_hash", hash)
            }
            json.field("created_at", invoice.timestamp)
            json.field("expires_at", invoice.expiresAt)
            json.field("expired", invoice.expiresAt <= gateway.now)
            json.field("min_final_cltv_expiry", Int64(clamping: invoice.minFinalCLTVExpiry))
            json.field("own", invoice.payee == gateway.identity.publicKey)
            json.array("route_hints") { json in
                for hops in invoice.routeHints {
                    json.array { json in
                        for hop in hops {
                            json.object { json in
                                json.field("node", hop.node.hex)
                                json.field("chan_id", String(hop.shortChannelID))
                                json.field("fee_base_msat", Int64(hop.feeBase))
                                json.field("fee_ppm", Int64(hop.feePPM))
                                json.field("cltv_delta", Int64(hop.cltvDelta))
                            }
                        }
                    }
                }
            }
        }
        exchange.respond(json.bytes)
    }
}

extension PayoutRefusal {
    var problem: Problem {
        switch self {
        case .hashIsTaken: .paymentExists(nil)
        case .purposeIsTaken:
            Problem(status: 409, code: "purpose_taken", title: "What this is paid for has a payment that has not failed", field: "purpose")
        case .balanceTooLow: Problem(status: 409, code: "balance_too_low", title: "The account has not so much to spend")
        case .budgetTooLow: Problem(status: 409, code: "budget_exceeded", title: "The key's budget is not enough")
        case .ownInvoice:
            Problem(
                status: 409, code: "own_invoice", title: "The invoice is one of this gateway",
                detail: "it would pay itself; settle or cancel the invoice instead", field: "payment_request")
        case .tooManyUnderWay:
            Problem(status: 409, code: "too_many_payments", title: "The account has as many payments under way as it may have", limit: "payments")
        case .unavailable: .unavailable
        }
    }
}

extension Problem {
    /// `payout`, if the asking account may know of it.
    static func paymentExists(_ payout: Payout?) -> Problem {
        let own = payout.map { "it is \($0.intent.id), which is \($0.state.rawValue); " } ?? ""
        let advice = payout.map { $0.state == .failed } ?? true
            ? "a hash is paid for at most once, even if that has failed; ask the payee for another invoice"
            : "another invoice would be another payment"
        return Problem(status: 409, code: "payment_exists", title: "This payment hash has a payment", detail: own + advice, field: "payment_request")
    }

    static let unknownPayment = Problem(status: 404, code: "unknown_payment", title: "There is no such payment")
    static let invoiceExpired = Problem(status: 422, code: "invoice_expired", title: "The invoice has expired", field: "payment_request")
    static let idempotencyKeyRequired = Problem(
        status: 400, code: "idempotency_key_required", title: "A payment to a key needs an Idempotency-Key",
        detail: "nothing else would tell a repeated request from a second payment", field: "Idempotency-Key")
    static let nodeUnavailable = Problem(
        status: 503, code: "node_unavailable", title: "The node cannot be asked now",
        detail: "it is not connected, or another process of the gateway leads: only the leader is connected to the nodes")

    static func nodeRefused(_ text: String) -> Problem {
        Problem(status: 503, code: "node_refused", title: "The node does not do it", detail: text)
    }
}
