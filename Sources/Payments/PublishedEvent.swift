/// One row of the stream: an event with its place in it. `data` is its JSON object, encoded once.
public struct PublishedEvent: Equatable, Sendable {
    public var offset: Int64
    /// `evt_` and hexadecimal digits; the same for the same happening, however often it is tried.
    public var id: String
    public var type: EventType
    public var account: Int64
    public var paymentHash: PaymentHash?
    public var time: UnixTime
    public var data: String

    public init(offset: Int64, id: String, type: EventType, account: Int64, paymentHash: PaymentHash?, time: UnixTime, data: String) {
        self.offset = offset
        self.id = id
        self.type = type
        self.account = account
        self.paymentHash = paymentHash
        self.time = time
        self.data = data
    }
}
