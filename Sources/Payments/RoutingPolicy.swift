/// The policy of the virtual channels, as the invoices' route hints advertise it.
///
/// LND offers an HTLC before it applies any policy, so these checks are the only ones.
public struct RoutingPolicy: Equatable, Sendable {
    public var cltvDelta: UInt16
    public var feeBase: Millisatoshis
    public var feePPM: UInt32

    public init(cltvDelta: UInt16 = 80, feeBase: Millisatoshis = .zero, feePPM: UInt32 = 0) {
        self.cltvDelta = cltvDelta
        self.feeBase = feeBase
        self.feePPM = feePPM
    }

    /// The fee for forwarding `amount`: base plus parts per million, rounded down (BOLT 7).
    public func fee(for amount: Millisatoshis) -> Millisatoshis {
        let (high, low) = amount.value.multipliedFullWidth(by: UInt64(feePPM))
        guard high < 1_000_000 else { return Millisatoshis(.max) }
        return feeBase + Millisatoshis(UInt64(1_000_000).dividingFullWidth((high, low)).quotient)
    }

    /// Whether the virtual channel would have forwarded the HTLC.
    public func admits(_ htlc: InterceptedHTLC) -> Bool {
        htlc.incomingAmount >= htlc.outgoingAmount + fee(for: htlc.outgoingAmount)
            && UInt64(htlc.incomingExpiry) >= UInt64(htlc.outgoingExpiry) + UInt64(cltvDelta)
    }
}
