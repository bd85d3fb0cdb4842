public import Payments

/// What an onion tells one hop (BOLT 4, `payload` without its length).
public struct HopPayload: Equatable, Sendable {
    /// `payment_data`: what only the payer of the invoice knows, and what the whole set will be.
    public struct PaymentData: Equatable, Sendable {
        public var secret: PaymentSecret
        public var total: Millisatoshis
        public init(secret: PaymentSecret, total: Millisatoshis) {
            self.secret = secret
            self.total = total
        }
    }

    /// Why a payload is refused; what `invalid_onion_payload` tells of it. `offset` counts from the first record,
    /// and both are zero where the fault cannot be pinned on a record.
    public struct Failure: Error, Equatable, Sendable {
        public enum Reason: Equatable, Sendable {
            case malformedStream
            case malformedValue
            case unknownEven
            case missing
            /// A final hop that was told to forward.
            case unexpected
        }
        public var reason: Reason
        public var type: UInt64
        public var offset: UInt16

        init(_ reason: Reason, type: UInt64 = 0, offset: Int = 0) {
            self.reason = reason
            self.type = type
            self.offset = UInt16(clamping: offset)
        }

        public var message: FailureMessage { .invalidOnionPayload(type: type, offset: offset) }
    }

    /// `amt_to_forward`.
    public var amount: Millisatoshis
    /// `outgoing_cltv_value`.
    public var outgoingExpiry: UInt32
    /// The channel to forward over; `nil` for the final hop.
    public var shortChannelID: UInt64?
    public var paymentData: PaymentData?
    /// `payment_metadata`, echoed from the invoice.
    public var metadata: [UInt8]?
    /// Records from type 65536 on, keysend's among them. Even ones are kept too, as LND does: what they ask for
    /// is for the caller to refuse.
    public var customRecords: [TLVStream.Record]

    public init(
        amount: Millisatoshis, outgoingExpiry: UInt32, shortChannelID: UInt64? = nil, paymentData: PaymentData? = nil,
        metadata: [UInt8]? = nil, customRecords: [TLVStream.Record] = []
    ) {
        self.amount = amount
        self.outgoingExpiry = outgoingExpiry
        self.shortChannelID = shortChannelID
        self.paymentData = paymentData
        self.metadata = metadata
        self.customRecords = customRecords
    }

    /// Reads the payload of a final hop, or of one that forwards. Blinded hops (types 10, 12, 18) and AMP (14) are
    /// not supported and refused as the unknown even types they are to us.
    public init(decoding bytes: borrowing Span<UInt8>, isFinal: Bool) throws(Failure) {
        var amount: UInt64?
        var expiry: UInt64?
        shortChannelID = nil
        paymentData = nil
        metadata = nil
        customRecords = []
        var cursor = TLVCursor()
        while let field = try Self.next(of: &cursor, in: bytes) {
            let malformed = Failure(.malformedValue, type: field.type, offset: field.offset)
            let value = field.value
            switch field.type {
            case Kind.amount:
                guard let number = BigEndian.truncatedInteger(bytes, value, limit: 8) else { throw malformed }
                amount = number
            case Kind.outgoingExpiry:
                guard let number = BigEndian.truncatedInteger(bytes, value, limit: 4) else { throw malformed }
                expiry = number
            case Kind.shortChannelID:
                guard value.count == 8 else { throw malformed }
                if isFinal { throw Failure(.unexpected, type: field.type, offset: field.offset) }
                shortChannelID = BigEndian.integer(bytes, value)
            case Kind.paymentData:
                guard value.count >= 32,
                    let secret = Bytes32(bytes.extracting(value.lowerBound..<value.lowerBound + 32)),
                    let total = BigEndian.truncatedInteger(bytes, value.lowerBound + 32..<value.upperBound, limit: 8)
                else { throw malformed }
                paymentData = PaymentData(secret: PaymentSecret(secret), total: Millisatoshis(total))
            case Kind.metadata: metadata = value.map { bytes[$0] }
            case Kind.firstCustom...: customRecords.append(TLVStream.Record(type: field.type, value: value.map { bytes[$0] }))
            default:
                if field.type & 1 == 0 { throw Failure(.unknownEven, type: field.type, offset: field.offset) }
            }
        }
        guard let amount else { throw Failure(.missing, type: Kind.amount) }
        guard let expiry else { throw Failure(.missing, type: Kind.outgoingExpiry) }
        if !isFinal, shortChannelID == nil { throw Failure(.missing, type: Kind.shortChannelID) }
        self.amount = Millisatoshis(amount)
        outgoingExpiry = UInt32(expiry)
    }

    /// The records without the length that the onion puts before them.
    public func encode() -> [UInt8] {
        var records = customRecords
        var number = [UInt8]()
        BigEndian.appendTruncated(amount.value, to: &number)
        records.append(.init(type: Kind.amount, value: number))
        number.removeAll()
        BigEndian.appendTruncated(UInt64(outgoingExpiry), to: &number)
        records.append(.init(type: Kind.outgoingExpiry, value: number))
        if let shortChannelID {
            number.removeAll()
            BigEndian.append(shortChannelID, count: 8, to: &number)
            records.append(.init(type: Kind.shortChannelID, value: number))
        }
        if let paymentData {
            var value = paymentData.secret.bytes.array
            BigEndian.appendTruncated(paymentData.total.value, to: &value)
            records.append(.init(type: Kind.paymentData, value: value))
        }
        if let metadata { records.append(.init(type: Kind.metadata, value: metadata)) }
        return TLVStream(records).encode()
    }

    private static func next(of cursor: inout TLVCursor, in bytes: borrowing Span<UInt8>) throws(Failure) -> TLVCursor.Field? {
        do {
            return try cursor.next(in: bytes)
        } catch {
            switch error {
            case .truncated(let offset), .notMinimal(let offset): throw Failure(.malformedStream, offset: offset)
            case .notAscending(let type, let offset), .unknownEven(let type, let offset):
                throw Failure(.malformedStream, type: type, offset: offset)
            }
        }
    }

    private enum Kind {
        static let amount: UInt64 = 2
        static let outgoingExpiry: UInt64 = 4
        static let shortChannelID: UInt64 = 6
        static let paymentData: UInt64 = 8
        static let metadata: UInt64 = 16
        static let firstCustom: UInt64 = 65_536
    }
}
