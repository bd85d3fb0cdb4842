/// The body of `POST …/redeliver`: one delivery, or the events after one offset up to another.
public enum RedeliveryRequest: Equatable, Sendable {
    case one(deliveryID: String)
    case range(after: Int64, until: Int64)

    public init(decoding body: [UInt8]) throws(FieldError) {
        let fields = try RequestFields(body, known: ["delivery_id", "after", "until"])
        let offsets: ClosedRange<UInt64> = 0...UInt64(Int64.max)
        let after = try fields.whole("after", in: offsets)
        let until = try fields.whole("until", in: offsets)
        if let id = try fields.text("delivery_id") {
            guard after == nil else { throw .invalid(field: "after", "not together with delivery_id") }
            guard until == nil else { throw .invalid(field: "until", "not together with delivery_id") }
            self = .one(deliveryID: id)
            return
        }
        guard let after else { throw .invalid(field: "after", "is missing; so is delivery_id") }
        guard let until else { throw .invalid(field: "until", "is missing") }
        guard after < until else { throw .invalid(field: "until", "must be greater than after") }
        self = .range(after: Int64(after), until: Int64(until))
    }
}
