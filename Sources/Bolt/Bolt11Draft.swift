public import Payments

/// What an invoice shall say (BOLT 11), before it is signed.
public struct Bolt11Draft: Equatable, Sendable {
    public enum Failure: Error, Equatable, Sendable {
        /// Zero, or more than can exist.
        case amount
        /// Before 1970 or past thirty-five bits of seconds.
        case timestamp
        /// More than 639 bytes.
        case descriptionTooLong
        case metadataTooLong
        /// More than twelve hops in one route, or none.
        case route
    }

    public var network: Network
    /// `nil` when the payer chooses the amount.
    public var amount: Millisatoshis?
    /// Whole seconds are written.
    public var timestamp: UnixTime
    public var paymentHash: PaymentHash
    public var paymentSecret: PaymentSecret
    public var description: InvoiceRecord.Description
    /// Seconds after the timestamp.
    public var expiry: UInt64
    public var minFinalCLTVExpiry: UInt64
    /// Alternatives, the best first.
    public var routeHints: [[HopHint]]
    public var features: FeatureBits
    public var metadata: [UInt8]?

    public init(
        network: Network, amount: Millisatoshis?, timestamp: UnixTime, paymentHash: PaymentHash, paymentSecret: PaymentSecret,
        description: InvoiceRecord.Description, expiry: UInt64, minFinalCLTVExpiry: UInt64,
        routeHints: [[HopHint]] = [], features: FeatureBits = .payable, metadata: [UInt8]? = nil
    ) {
        self.network = network
        self.amount = amount
        self.timestamp = timestamp
        self.paymentHash = paymentHash
        self.paymentSecret = paymentSecret
        self.description = description
        self.expiry = expiry
        self.minFinalCLTVExpiry = minFinalCLTVExpiry
        self.routeHints = routeHints
        self.features = features
        self.metadata = metadata
    }

    /// The invoice's text, lower case. Expiry and final delta are always written, the fields always in one order.
    public func encode<Hash: SHA256Digest>(by hash: Hash.Type, sign: (_ digest: Bytes32) -> RecoverableSignature) throws(Failure) -> String {
        if let amount, amount == .zero || amount > .supply { throw .amount }
        let seconds = timestamp.seconds
        guard timestamp.milliseconds >= 0, seconds >> 35 == 0 else { throw .timestamp }
        var writer = Bolt11Writer(prefix: Bolt11Prefix(network: network, amount: amount), timestamp: UInt64(seconds))
        _ = writer.append(.paymentSecret(paymentSecret))
        _ = writer.append(.paymentHash(paymentHash))
        switch description {
        case .text(let text): guard writer.append(.description(text)) else { throw .descriptionTooLong }
        case .hash(let hash): _ = writer.append(.descriptionHash(hash))
        }
        _ = writer.append(.expiry(expiry))
        _ = writer.append(.minFinalCLTVExpiry(minFinalCLTVExpiry))
        for route in routeHints {
            guard !route.isEmpty, writer.append(.route(route)) else { throw .route }
        }
        if let metadata, !writer.append(.metadata(metadata)) { throw .metadataTooLong }
        _ = writer.append(.features(features))
        return writer.finish(by: Hash.self, sign: sign)
    }
}
