internal import Edge
internal import Keys
internal import LNURL
internal import Ledger
internal import Loop
internal import Payments
internal import Wire

// Questions for a Lightning Address, to send a refund to (LUD-23).
extension GatewayAPI {
    func createAddressRequest(_ exchange: Exchange, _ account: Int64) {
        // Made again from the same claim it is the same question.
        let seed = exchange.claim?.seed ?? SecureRandom.bytes32()
        let wanted: RefundRequest
        do throws(FieldError) {
            wanted = try RefundRequest(decoding: exchange.request.body)
        } catch {
            return exchange.refuse(.invalid(error))
        }
        let id = "ar_" + Hex.encode(Array(claimSecrets.secret("address request", of: seed).array.prefix(16)).span)
        let now = exchange.claim?.time ?? gateway.now
        let record = AddressRequestRecord(
            id: id, account: account, description: wanted.description, orderID: wanted.orderID, createdAt: now,
            expiresAt: UnixTime(seconds: now.seconds + wanted.expiresInSeconds))
        ledger.insertAddressRequest(record) { [self] result in
            guard case .success(let stored?) = result else { return exchange.refuse(.unavailable) }
            exchange.target = stored.id
            respond(exchange, stored, status: 201)
        }
    }

    func showAddressRequest(_ exchange: Exchange, _ account: Int64, _ id: String) {
        ledger.addressRequest(id, account: account) { [self] result in
            switch result {
            case .failure: exchange.refuse(.unavailable)
            case .success(nil): exchange.refuse(.unknownAddressRequest)
            case .success(let record?): respond(exchange, record)
            }
        }
    }

    private func respond(_ exchange: Exchange, _ record: AddressRequestRecord, status: Int = 200) {
        let address = LNURLText(url: lnurl.directory.base(of: record.account) + "/lnurl/address/" + record.id)
        var json = JSONWriter()
        json.object { json in
            json.field("id", record.id)
            json.field("url", address.url)
            json.field("lnurl", address.bech32)
            json.field("lightning", address.link)
            json.field("qr_url", address.url + "/qr.svg")
            json.field("description", record.description)
            if let orderID = record.orderID { json.field("order_id", orderID) }
            json.field("created_at", record.createdAt)
            json.field("expires_at", record.expiresAt)
            json.field("address", record.address)
            if let time = record.answeredAt { json.field("answered_at", time) }
        }
        exchange.respond(json.bytes, status: status)
    }
}
