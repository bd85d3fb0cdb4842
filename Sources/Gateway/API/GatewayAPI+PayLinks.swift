internal import Bolt
internal import Edge
internal import Keys
internal import LNURL
internal import Ledger
internal import Loop
internal import Payments
internal import Wire

// Pay links and Lightning Addresses: an account's own, whoever asks with which id.
extension GatewayAPI {
    private static let maximumLinks: Int64 = 100_000
    /// Of a link that is bound to an order and does not say.
    private static let orderSeconds: Int64 = 86_400

    func payLinks(_ exchange: Exchange, _ account: Int64, _ route: PayLinkRoute) {
        switch route {
        case .create(let isAddress): createPayLink(exchange, account, isAddress)
        case .list(let areAddresses): listPayLinks(exchange, account, areAddresses)
        case .show(let id, let isAddress): find(exchange, account, id, isAddress) { [self] record in respond(exchange, record) }
        case .change(let id, let isAddress): changePayLink(exchange, account, id, isAddress)
        case .delete(let id, let isAddress): deletePayLink(exchange, account, id, isAddress)
        case .createAddressRequest: createAddressRequest(exchange, account)
        case .showAddressRequest(let id): showAddressRequest(exchange, account, id)
        }
    }

    private func createPayLink(_ exchange: Exchange, _ account: Int64, _ isAddress: Bool) {
        // Made again from the same claim it is the same link.
        let seed = exchange.claim?.seed ?? SecureRandom.bytes32()
        let id = "pl_" + Hex.encode(Array(claimSecrets.secret("pay link", of: seed).array.prefix(16)).span)
        var record = PayLinkRecord(id: id, account: account, createdAt: exchange.claim?.time ?? gateway.now)
        do throws(FieldError) {
            let wanted = try PayLinkRequest(decoding: exchange.request.body, isAddress ? .address : .link, isNew: true)
            if isAddress {
                guard let host = lnurl.directory.host(of: account) else { return exchange.refuse(.noDomain) }
                record.host = host
                record.name = wanted.name
            }
            try apply(wanted, to: &record)
            if let seconds = wanted.expiresInSeconds ?? (wanted.orderID == nil ? nil : Self.orderSeconds) {
                record.expiresAt = UnixTime(seconds: record.createdAt.seconds + seconds)
            }
            if let orderID = wanted.orderID { try bind(&record, to: orderID) }
        } catch {
            return exchange.refuse(.invalid(error))
        }
        ledger.insertPayLink(record, limit: Self.maximumLinks) { [self] result in
            switch result {
            case .failure: exchange.refuse(.unavailable)
            case .success(nil): exchange.refuse(.payLinkRefused)
            case .success(let record?):
                exchange.target = record.id
                lnurl.directory.learned(record)
                respond(exchange, record, status: 201)
            }
        }
    }

    /// All invoices of an order have one payment hash, so of all that are handed out one is paid.
    private func bind(_ record: inout PayLinkRecord, to orderID: String) throws(FieldError) {
        guard record.minimum == record.maximum else { throw .invalid(field: "max_msat", "must be min_msat for an order") }
        guard let end = record.expiresAt else { return }
        let terms = InvoiceTerms(
            amount: record.minimum, expiresAt: end, settlement: gateway.settings.settlement, isStored: false, account: record.account)
        record.orderID = orderID
        record.isDisposable = true
        record.paymentHash = issuer.secrets.make(terms, random: lnurl.secrets.randomness(ofOrder: record.id)).paymentHash
    }

    private func changePayLink(_ exchange: Exchange, _ account: Int64, _ id: String, _ isAddress: Bool) {
        let wanted: PayLinkRequest
        do throws(FieldError) {
            wanted = try PayLinkRequest(decoding: exchange.request.body, isAddress ? .address : .link, isNew: false)
        } catch {
            return exchange.refuse(.invalid(error))
        }
        find(exchange, account, id, isAddress) { [self] record in
            var record = record
            do throws(FieldError) {
                try apply(wanted, to: &record)
                if record.orderID != nil, wanted.minimum != nil || wanted.maximum != nil {
                    throw .invalid(field: wanted.minimum == nil ? "max_msat" : "min_msat", "an order's amount is fixed")
                }
            } catch {
                return exchange.refuse(.invalid(error))
            }
            ledger.updatePayLink(record) { [self] result in
                guard let record = stored(exchange, result) else { return }
                respond(exchange, record)
            }
        }
    }

    private func deletePayLink(_ exchange: Exchange, _ account: Int64, _ id: String, _ isAddress: Bool) {
        find(exchange, account, id, isAddress) { [self] record in
            ledger.deletePayLink(record.id, account: account) { [self] result in
                guard let record = stored(exchange, result) else { return }
                var json = JSONWriter()
                json.object { json in
                    json.field("id", record.id)
                    json.field("deleted", true)
                }
                exchange.respond(json.bytes)
            }
        }
    }

    private func listPayLinks(_ exchange: Exchange, _ account: Int64, _ areAddresses: Bool) {
        guard let limit = exchange.number("limit", default: 50, in: 1...500) else { return exchange.refuse(.invalidQuery("limit")) }
        guard let after = exchange.number("after", default: 0, in: 0...(.max)) else { return exchange.refuse(.invalidQuery("after")) }
        ledger.payLinks(account: account, addresses: areAddresses, after: after, limit: Int(limit) + 1) { [self] result in
            guard case .success(let found) = result else { return exchange.refuse(.unavailable) }
            let shown = found.prefix(Int(limit))
            var json = JSONWriter()
            json.object { json in
                json.array(areAddresses ? "addresses" : "pay_links") { json in for record in shown { append(record, to: &json) } }
                json.field("next", found.count > shown.count ? shown.last?.number : nil)
            }
            exchange.respond(json.bytes)
        }
    }

    // MARK: What they share

    /// Writes what is wanted into the link. What wallets show is written anew only if something of it has changed.
    private func apply(_ wanted: PayLinkRequest, to record: inout PayLinkRecord) throws(FieldError) {
        let before = record
        record.description = wanted.description ?? record.description
        record.longDescription = wanted.removed.contains("long_description") ? nil : wanted.longDescription ?? record.longDescription
        record.minimum = wanted.minimum ?? record.minimum
        record.maximum = wanted.maximum ?? record.maximum
        record.commentAllowed = wanted.commentAllowed.map { Int64($0) } ?? record.commentAllowed
        record.successAction = wanted.removed.contains("success_action") ? nil : wanted.successAction?.stored ?? record.successAction
        record.payerData = wanted.removed.contains("payer_data") ? nil : wanted.payerData?.stored ?? record.payerData
        record.isDisposable = wanted.isDisposable ?? record.isDisposable
        record.metadata = wanted.removed.contains("metadata") ? nil : wanted.metadata ?? record.metadata
        record.isEnabled = wanted.isEnabled ?? record.isEnabled
        guard record.minimum <= record.maximum else { throw .invalid(field: "max_msat", "must not be below min_msat") }
        if case .url(_, let url) = wanted.successAction {
            let base = lnurl.directory.base(of: record.account)
            guard url == base || url.hasPrefix(base + "/") else { throw .invalid(field: "success_action.url", "must begin with \(base)/, or wallets refuse it") }
        }
        if record.description != before.description || record.longDescription != before.longDescription || record.shown.isEmpty {
            let identifier = record.name.flatMap { name in record.host.map { name + "@" + $0 } }
            record.shown = PayMetadata(description: record.description, longDescription: record.longDescription, identifier: identifier).text
        }
    }

    private func find(
        _ exchange: Exchange, _ account: Int64, _ id: String, _ isAddress: Bool, _ found: @escaping @LoopActor (PayLinkRecord) -> Void
    ) {
        ledger.payLink(isAddress ? id.lowercased() : id, account: account) { result in
            switch result {
            case .failure: exchange.refuse(.unavailable)
            case .success(let record?) where (record.name != nil) == isAddress: found(record)
            case .success: exchange.refuse(.unknownPayLink)
            }
        }
    }

    private func stored(_ exchange: Exchange, _ result: Result<PayLinkRecord?, LedgerError>) -> PayLinkRecord? {
        switch result {
        case .failure: exchange.refuse(.unavailable)
        case .success(nil): exchange.refuse(.unknownPayLink)
        case .success(let record?):
            lnurl.directory.learned(record)
            return record
        }
        return nil
    }

    private func respond(_ exchange: Exchange, _ record: PayLinkRecord, status: Int = 200) {
        var json = JSONWriter()
        append(record, to: &json)
        exchange.respond(json.bytes, status: status)
    }

    private func append(_ record: PayLinkRecord, to json: inout JSONWriter) {
        let base = lnurl.directory.base(of: record.account)
        let text = LNURLText(url: base + "/lnurl/pay/" + record.id)
        json.object { json in
            json.field("id", record.id)
            if let name = record.name, let host = record.host {
                json.field("name", name)
                json.field("address", name + "@" + host)
                json.field("url", base + "/.well-known/lnurlp/" + name)
            } else {
                json.field("url", text.url)
            }
            json.field("lnurl", text.bech32)
            json.field("lnurlp", text.plain(.pay))
            json.field("lightning", text.link)
            json.field("qr_url", text.url + "/qr.svg")
            json.field("page_url", base + "/pay/" + record.id + "?lightning=" + text.bech32.uppercased())
            json.field("description", record.description)
            json.field("long_description", record.longDescription)
            json.field("min_msat", record.minimum.value)
            json.field("max_msat", record.maximum.value)
            json.field("comment_allowed", record.commentAllowed)
            if let action = record.successAction { json.field("success_action", raw: action.utf8) } else { json.field("success_action", nil as String?) }
            if let data = record.payerData { json.field("payer_data", raw: data.utf8) } else { json.field("payer_data", nil as String?) }
            json.field("disposable", record.isDisposable)
            json.field("enabled", record.isEnabled)
            if let orderID = record.orderID {
                json.field("order_id", orderID)
                json.field("paid", record.isPaid)
                if let hash = record.paymentHash { json.field("payment_hash", hash.bytes) }
            }
            if let end = record.expiresAt { json.field("expires_at", end) }
            json.field("metadata", raw: (record.metadata ?? "{}").utf8)
            json.field("created_at", record.createdAt)
        }
    }
}
