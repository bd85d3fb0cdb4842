internal import Bolt
internal import Delivery
internal import Edge
internal import Keys
internal import Ledger
internal import Loop
internal import Payments
internal import Webhooks
internal import Wire

// Webhook endpoints: an account's own, whoever asks with which id.
extension GatewayAPI {
    private static let maximumEndpoints: Int64 = 1000
    private static let maximumRedeliveries: Int64 = 10_000

    func webhooks(_ exchange: Exchange, _ account: Int64, _ route: WebhookRoute) {
        switch route {
        case .create: createWebhook(exchange, account)
        case .list: listWebhooks(exchange, account)
        case .show(let id): find(exchange, account, id) { [self] record in respond(exchange, record) }
        case .change(let id): changeWebhook(exchange, account, id)
        case .delete(let id): deleteWebhook(exchange, account, id)
        case .deliveries(let id): listDeliveries(exchange, account, id)
        case .redeliver(let id): redeliver(exchange, account, id)
        case .test(let id): testWebhook(exchange, account, id)
        case .rotate(let id): rotateSecret(exchange, account, id)
        }
    }

    private func createWebhook(_ exchange: Exchange, _ account: Int64) {
        // Made again from the same claim it is the same endpoint.
        let seed = exchange.claim?.seed ?? SecureRandom.bytes32()
        let record: WebhookEndpointRecord
        do throws(FieldError) {
            let wanted = try checked(WebhookRequest(decoding: exchange.request.body, isNew: true))
            record = WebhookEndpointRecord(
                id: WebhookDocument.endpointID(Array(claimSecrets.secret("webhook id", of: seed).array.prefix(8))), account: account,
                url: wanted.url ?? "", events: wanted.events ?? [], description: wanted.description ?? "", signatures: wanted.signatures ?? [.v1],
                concurrency: wanted.concurrency ?? 1, createdAt: gateway.now)
        } catch {
            return exchange.refuse(.invalid(error))
        }
        ledger.insertWebhook(record, limit: Self.maximumEndpoints) { [self] result in
            switch result {
            case .failure: exchange.refuse(.unavailable)
            case .success(nil): exchange.refuse(.tooManyWebhooks)
            case .success(let record?):
                exchange.target = record.id
                gateway.courier.endpointsChanged()
                respond(exchange, record, status: 201, showsSecret: true)
            }
        }
    }

    private func listWebhooks(_ exchange: Exchange, _ account: Int64) {
        guard let limit = exchange.number("limit", default: 50, in: 1...500) else { return exchange.refuse(.invalidQuery("limit")) }
        guard let after = exchange.number("after", default: 0, in: 0...(.max)) else { return exchange.refuse(.invalidQuery("after")) }
        ledger.webhooks(account: account, after: after, limit: Int(limit) + 1) { [self] result in
            guard case .success(let found) = result else { return exchange.refuse(.unavailable) }
            let shown = found.prefix(Int(limit))
            var json = JSONWriter()
            json.object { json in
                json.array("webhooks") { json in
                    for record in shown { WebhookDocument.append(endpoint(record), to: &json) }
                }
                json.field("next", found.count > shown.count ? shown.last?.number : nil)
            }
            exchange.respond(json.bytes)
        }
    }

    private func changeWebhook(_ exchange: Exchange, _ account: Int64, _ id: String) {
        let change: WebhookEndpointChange
        do throws(FieldError) {
            change = try checked(WebhookRequest(decoding: exchange.request.body, isNew: false))
        } catch {
            return exchange.refuse(.invalid(error))
        }
        ledger.updateWebhook(id, account: account, change) { [self] result in changed(exchange, result) }
    }

    private func deleteWebhook(_ exchange: Exchange, _ account: Int64, _ id: String) {
        ledger.deleteWebhook(id, account: account) { [self] result in
            switch result {
            case .failure: exchange.refuse(.unavailable)
            case .success(false): exchange.refuse(.unknownWebhook)
            case .success(true):
                gateway.courier.endpointsChanged()
                var json = JSONWriter()
                json.object { json in
                    json.field("id", id)
                    json.field("deleted", true)
                }
                exchange.respond(json.bytes)
            }
        }
    }

    private func rotateSecret(_ exchange: Exchange, _ account: Int64, _ id: String) {
        let wanted: SecretRotationRequest
        do throws(FieldError) {
            wanted = try SecretRotationRequest(decoding: exchange.request.body)
        } catch {
            return exchange.refuse(.invalid(error))
        }
        let until = gateway.now.advanced(byMilliseconds: wanted.overlapSeconds * 1000)
        ledger.rotateWebhook(id, account: account, until: until, for: exchange.claim?.lease) { [self] result in changed(exchange, result, showsSecret: true) }
    }

    private func listDeliveries(_ exchange: Exchange, _ account: Int64, _ id: String) {
        guard let limit = exchange.number("limit", default: 50, in: 1...500) else { return exchange.refuse(.invalidQuery("limit")) }
        guard let after = exchange.number("after", default: .max, in: 0...(.max)) else { return exchange.refuse(.invalidQuery("after")) }
        let name = exchange.request.query["state"]
        let state = [DeliveryRecord.State.waiting, .delivered, .failed].first { $0.name == name }
        guard name == nil || state != nil else { return exchange.refuse(.invalidQuery("state")) }
        find(exchange, account, id) { [self] _ in
            ledger.webhookDeliveries(id, account: account, before: after, state: state, limit: Int(limit) + 1) { result in
                guard case .success(let found) = result else { return exchange.refuse(.unavailable) }
                let shown = found.prefix(Int(limit))
                var json = JSONWriter()
                json.object { json in
                    json.array("deliveries") { json in
                        for row in shown { WebhookDocument.append(row, endpoint: id, to: &json) }
                    }
                    json.field("next", found.count > shown.count ? shown.last?.record.offset : nil)
                }
                exchange.respond(json.bytes)
            }
        }
    }

    private func redeliver(_ exchange: Exchange, _ account: Int64, _ id: String) {
        let wanted: RedeliveryRequest
        do throws(FieldError) {
            wanted = try RedeliveryRequest(decoding: exchange.request.body)
        } catch {
            return exchange.refuse(.invalid(error))
        }
        find(exchange, account, id) { [self] record in
            guard record.disabledReason == nil else { return exchange.refuse(.webhookDisabled) }
            switch wanted {
            case .one(let deliveryID):
                guard let offset = WebhookDocument.offset(ofDelivery: deliveryID, to: id) else { return exchange.refuse(.unknownDelivery) }
                redeliver(exchange, record, types: [], after: offset - 1, until: offset)
            case .range(let after, let until):
                redeliver(exchange, record, types: endpoint(record).selection.types, after: after, until: until)
            }
        }
    }

    private func redeliver(_ exchange: Exchange, _ record: WebhookEndpointRecord, types: [EventType], after: Int64, until: Int64) {
        let isOne = until - after == 1
        if !isOne, !redelivering.insert(record.account).inserted { return exchange.refuse(.tooManyRedeliveries) }
        ledger.redeliver(to: record, types: types, after: after, until: until, limit: Self.maximumRedeliveries) { [self] result in
            if !isOne { redelivering.remove(record.account) }
            guard case .success(let (count, last)) = result else { return exchange.refuse(.unavailable) }
            if count == 0, isOne { return exchange.refuse(.unknownDelivery) }
            gateway.courier.endpointsChanged()
            var json = JSONWriter()
            json.object { json in
                json.field("queued", count)
                json.field("next", count == Self.maximumRedeliveries && last ?? until < until ? last : nil)
            }
            exchange.respond(json.bytes, status: 202)
        }
    }

    /// Sends a sample now and says what came of it. Nothing is repeated or stored.
    private func testWebhook(_ exchange: Exchange, _ account: Int64, _ id: String) {
        let name: String
        do throws(FieldError) {
            name = try WebhookTestRequest(decoding: exchange.request.body).type
        } catch {
            return exchange.refuse(.invalid(error))
        }
        let sample = SampleEvent.make(
            EventType(rawValue: name), account: account, seed: SecureRandom.bytes32(), at: gateway.now, by: LibCrypto.self)
        guard let sample else { return exchange.refuse(.invalid(.invalid(field: "type", "is no type of event"))) }
        find(exchange, account, id) { [self] record in
            let timeout = gateway.settings.webhooks.timeoutMilliseconds
            guard let request = endpoint(record).request(sample, at: gateway.now, timeoutMilliseconds: timeout) else { return exchange.refuse(.unknownWebhook) }
            let start = Clock.monotonicNanoseconds
            switch samples.take(account, id, at: start) {
            case .granted: break
            case .tooOften(let quota):
                exchange.quota = quota
                return exchange.refuse(.tooManySamples)
            case .tooManyUnderWay: return exchange.refuse(.tooManySamples)
            }
            gateway.outbound.send(request) { [self] answer in
                samples.ended(account)
                let verdict = Verdict(answer, at: gateway.now)
                var json = JSONWriter()
                json.object { json in
                    let (isDelivered, status, reason): (Bool, Int?, String?) = switch verdict {
                    case .delivered(let status): (true, status, nil)
                    case .failed(let status, let reason, _): (false, status, reason)
                    case .gone: (false, 410, "answered 410")
                    }
                    json.field("delivered", isDelivered)
                    json.field("status", status.map { Int64($0) })
                    json.field("reason", reason)
                    json.field("duration_ms", Int64((Clock.monotonicNanoseconds - start) / 1_000_000))
                    json.field("event", raw: EventCodec.object(sample))
                }
                exchange.respond(json.bytes)
            }
        }
    }

    // MARK: What they share

    /// What is wanted of an endpoint, if it may be.
    private func checked(_ wanted: WebhookRequest) throws(FieldError) -> WebhookEndpointChange {
        if let text = wanted.url {
            let url: TargetURL
            do throws(TargetURL.Failure) { url = try TargetURL(text) } catch { throw .invalid(field: "url", error.reason) }
            if let complaint = gateway.settings.webhooks.rules.complaint(about: url) { throw .invalid(field: "url", complaint) }
        }
        if let events = wanted.events, EventSelection(events) == nil {
            throw .invalid(field: "events", "must be a list of 1 to \(EventSelection.maximumPatterns) types, such as invoice.settled, invoice.* or *")
        }
        return WebhookEndpointChange(
            url: wanted.url, events: wanted.events, description: wanted.description,
            signatures: wanted.signatures?.compactMap(WebhookEndpointRecord.Signature.init(rawValue:)), concurrency: wanted.concurrency,
            isEnabled: wanted.isEnabled)
    }

    private func find(_ exchange: Exchange, _ account: Int64, _ id: String, _ found: @escaping @LoopActor (WebhookEndpointRecord) -> Void) {
        ledger.webhook(id, account: account) { result in
            switch result {
            case .failure: exchange.refuse(.unavailable)
            case .success(nil): exchange.refuse(.unknownWebhook)
            case .success(let record?): found(record)
            }
        }
    }

    private func changed(_ exchange: Exchange, _ result: Result<WebhookEndpointRecord?, LedgerError>, showsSecret: Bool = false) {
        switch result {
        case .failure: exchange.refuse(.unavailable)
        case .success(nil): exchange.refuse(.unknownWebhook)
        case .success(let record?):
            gateway.courier.endpointsChanged()
            respond(exchange, record, showsSecret: showsSecret)
        }
    }

    private func endpoint(_ record: WebhookEndpointRecord) -> WebhookEndpoint { WebhookEndpoint(record, secrets: gateway.webhookSecrets) }

    private func respond(_ exchange: Exchange, _ record: WebhookEndpointRecord, status: Int = 200, showsSecret: Bool = false) {
        let endpoint = endpoint(record)
        var json = JSONWriter()
        WebhookDocument.append(endpoint, secret: showsSecret ? endpoint.secretText : nil, to: &json)
        exchange.respond(json.bytes, status: status)
    }
}
