/// The numbers that the machine decides by.
public struct PaymentPolicy: Equatable, Sendable {
    /// The final CLTV delta that the invoices ask for; HTLCs that leave less are refused (BOLT 4).
    public var finalCLTVDelta: UInt32
    /// Blocks before a node's own deadline at which we stop settling and let go.
    public var deadlineMargin: UInt32
    /// The farthest expiry that is taken: payers offer 2016 blocks at most, plus the virtual channel's delta.
    public var maximumExpiryDelta: UInt32
    /// How long an incomplete set is held, in milliseconds. BOLT 4 wants at least a minute.
    public var mppTimeout: Int64
    /// How long a complete set waits for a decision, in milliseconds.
    public var acceptTimeout: Int64
    /// The most parts that one set may have.
    public var maximumParts: Int
    /// The most HTLCs of incomplete sets that one node may hold; beyond it the oldest set is let go.
    public var maximumIncompletePerNode: Int

    public init(
        finalCLTVDelta: UInt32 = 80, deadlineMargin: UInt32 = 3, maximumExpiryDelta: UInt32 = 2_016 + 144,
        mppTimeout: Int64 = 60_000, acceptTimeout: Int64 = 60_000, maximumParts: Int = 100, maximumIncompletePerNode: Int = 2_000
    ) {
        self.finalCLTVDelta = finalCLTVDelta
        self.deadlineMargin = deadlineMargin
        self.maximumExpiryDelta = maximumExpiryDelta
        self.mppTimeout = mppTimeout
        self.acceptTimeout = acceptTimeout
        self.maximumParts = maximumParts
        self.maximumIncompletePerNode = maximumIncompletePerNode
    }
}
