public import Payments

/// A pay link or a Lightning Address as it is stored. What the texts of LNURL mean is `LNURL`'s to know.
public struct PayLinkRecord: Equatable, Sendable {
    public var id: String
    /// Counts links in the order in which they were made.
    public var number: Int64 = 0
    public var account: Int64
    /// Of an address only: what stands before the `@`, and after it.
    public var name: String?
    public var host: String?
    public var description = ""
    public var longDescription: String?
    public var minimum = Millisatoshis.zero
    public var maximum = Millisatoshis.zero
    public var commentAllowed: Int64 = 0
    public var successAction: String?
    public var payerData: String?
    public var isDisposable = false
    /// The merchant's own, a JSON object.
    public var metadata: String?
    public var orderID: String?
    /// Of a link that is bound to an order: all its invoices have this one.
    public var paymentHash: PaymentHash?
    public var expiresAt: UnixTime?
    public var isEnabled = true
    public var isDeleted = false
    /// What wallets show and invoices commit to, as it was made when the description was.
    public var shown = ""
    public var createdAt: UnixTime
    public var version: Int64 = 0
    /// A payment of the order has come, whatever became of it.
    public var isTaken = false
    /// The order's payment was settled.
    public var isPaid = false

    public init(id: String, account: Int64, createdAt: UnixTime) {
        self.id = id
        self.account = account
        self.createdAt = createdAt
    }
}
