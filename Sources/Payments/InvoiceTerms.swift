/// What an invoice's payment secret says of the invoice, so that nothing has to be stored until it is paid.
public struct InvoiceTerms: Equatable, Sendable {
    public enum Settlement: UInt8, Equatable, Sendable {
        /// Settled as soon as the set is complete and committed.
        case auto = 0
        /// Somebody has to settle or cancel.
        case hold = 1
    }

    /// `nil` when the payer chooses the amount.
    public var amount: Millisatoshis?
    /// HTLCs that arrive after this moment are refused.
    public var expiresAt: UnixTime
    public var settlement: Settlement
    /// The invoice has a row of its own since it was created.
    public var isStored: Bool
    /// Whose invoice it is: the row of a stateless invoice, which exists only when it is paid, has nothing else to tell.
    public var account: Int64

    public init(amount: Millisatoshis?, expiresAt: UnixTime, settlement: Settlement, isStored: Bool, account: Int64 = 1) {
        self.amount = amount
        self.expiresAt = expiresAt
        self.settlement = settlement
        self.isStored = isStored
        self.account = account
    }
}
