public import Payments

/// What a hop tells the payer about an HTLC that it failed (BOLT 4, "Failure Messages").
public enum FailureMessage: Equatable, Sendable {
    case temporaryNodeFailure
    case permanentNodeFailure
    case requiredNodeFeatureMissing
    /// The three faults of an onion carry the SHA-256 of the packet.
    case invalidOnionVersion(Bytes32)
    case invalidOnionHMAC(Bytes32)
    case invalidOnionKey(Bytes32)
    /// `update` is a `channel_update`, taken and given as it is; it may be empty.
    case temporaryChannelFailure(update: [UInt8])
    case permanentChannelFailure
    case requiredChannelFeatureMissing
    case unknownNextPeer
    case amountBelowMinimum(Millisatoshis, update: [UInt8])
    case feeInsufficient(Millisatoshis, update: [UInt8])
    case incorrectCLTVExpiry(UInt32, update: [UInt8])
    case expiryTooSoon(update: [UInt8])
    /// All that a payer may learn about an invoice that cannot be paid this way. `height` is that at which the HTLC came.
    case incorrectOrUnknownPaymentDetails(amount: Millisatoshis, height: UInt32)
    case finalIncorrectCLTVExpiry(UInt32)
    case finalIncorrectHTLCAmount(Millisatoshis)
    case channelDisabled(flags: UInt16, update: [UInt8])
    case expiryTooFar
    /// Zero for both if the fault has no place.
    case invalidOnionPayload(type: UInt64, offset: UInt16)
    case mppTimeout
    case invalidOnionBlinding(Bytes32)
    /// A code that is not known, or one whose data is not what BOLT 4 says.
    case other(code: UInt16, data: [UInt8])

    /// The code and the data of the message.
    public func encode() -> [UInt8] {
        var bytes = [UInt8]()
        BigEndian.append(UInt64(code), count: 2, to: &bytes)
        switch self {
        case .temporaryNodeFailure, .permanentNodeFailure, .requiredNodeFeatureMissing, .permanentChannelFailure,
            .requiredChannelFeatureMissing, .unknownNextPeer, .expiryTooFar, .mppTimeout:
            break
        case .invalidOnionVersion(let hash), .invalidOnionHMAC(let hash), .invalidOnionKey(let hash), .invalidOnionBlinding(let hash):
            bytes.append(contentsOf: hash.array)
        case .temporaryChannelFailure(let update), .expiryTooSoon(let update):
            Self.append(update, to: &bytes)
        case .amountBelowMinimum(let amount, let update), .feeInsufficient(let amount, let update):
            BigEndian.append(amount.value, count: 8, to: &bytes)
            Self.append(update, to: &bytes)
        case .incorrectCLTVExpiry(let expiry, let update):
            BigEndian.append(UInt64(expiry), count: 4, to: &bytes)
            Self.append(update, to: &bytes)
        case .incorrectOrUnknownPaymentDetails(let amount, let height):
            BigEndian.append(amount.value, count: 8, to: &bytes)
            BigEndian.append(UInt64(height), count: 4, to: &bytes)
        case .finalIncorrectCLTVExpiry(let expiry): BigEndian.append(UInt64(expiry), count: 4, to: &bytes)
        case .finalIncorrectHTLCAmount(let amount): BigEndian.append(amount.value, count: 8, to: &bytes)
        case .channelDisabled(let flags, let update):
            BigEndian.append(UInt64(flags), count: 2, to: &bytes)
            Self.append(update, to: &bytes)
        case .invalidOnionPayload(let type, let offset):
            BigSize.append(type, to: &bytes)
            BigEndian.append(UInt64(offset), count: 2, to: &bytes)
        case .other(_, let data): bytes.append(contentsOf: data)
        }
        return bytes
    }

    /// Bytes after the data are ignored, as BOLT 4 wants it. `nil` if there is not even a code.
    public init?(decoding bytes: borrowing Span<UInt8>) {
        guard bytes.count >= 2 else { return nil }
        var fields = FailureFields(position: 2)
        let code = UInt16(BigEndian.integer(bytes, 0..<2))
        self = Self.known(code, &fields, bytes) ?? .other(code: code, data: (2..<bytes.count).map { bytes[$0] })
    }

    private static func known(_ code: UInt16, _ fields: inout FailureFields, _ bytes: borrowing Span<UInt8>) -> Self? {
        switch code {
        case 0x2002: return .temporaryNodeFailure
        case 0x6002: return .permanentNodeFailure
        case 0x6003: return .requiredNodeFeatureMissing
        case 0x4008: return .permanentChannelFailure
        case 0x4009: return .requiredChannelFeatureMissing
        case 0x400a: return .unknownNextPeer
        case 21: return .expiryTooFar
        case 23: return .mppTimeout
        case 0xc004: return fields.hash(bytes).map { .invalidOnionVersion($0) }
        case 0xc005: return fields.hash(bytes).map { .invalidOnionHMAC($0) }
        case 0xc006: return fields.hash(bytes).map { .invalidOnionKey($0) }
        case 0xc018: return fields.hash(bytes).map { .invalidOnionBlinding($0) }
        case 0x1007: return fields.update(bytes).map { .temporaryChannelFailure(update: $0) }
        case 0x100e: return fields.update(bytes).map { .expiryTooSoon(update: $0) }
        case 0x100b, 0x100c:
            guard let amount = fields.integer(8, bytes), let update = fields.update(bytes) else { return nil }
            return code == 0x100b
                ? .amountBelowMinimum(Millisatoshis(amount), update: update) : .feeInsufficient(Millisatoshis(amount), update: update)
        case 0x100d:
            guard let expiry = fields.integer(4, bytes), let update = fields.update(bytes) else { return nil }
            return .incorrectCLTVExpiry(UInt32(expiry), update: update)
        case 0x400f:
            guard let amount = fields.integer(8, bytes), let height = fields.integer(4, bytes) else { return nil }
            return .incorrectOrUnknownPaymentDetails(amount: Millisatoshis(amount), height: UInt32(height))
        case 18: return fields.integer(4, bytes).map { .finalIncorrectCLTVExpiry(UInt32($0)) }
        case 19: return fields.integer(8, bytes).map { .finalIncorrectHTLCAmount(Millisatoshis($0)) }
        case 0x1014:
            guard let flags = fields.integer(2, bytes), let update = fields.update(bytes) else { return nil }
            return .channelDisabled(flags: UInt16(flags), update: update)
        case 0x4016:
            guard let type = fields.bigSize(bytes), let offset = fields.integer(2, bytes) else { return nil }
            return .invalidOnionPayload(type: type, offset: UInt16(offset))
        default: return nil
        }
    }

    /// The length of an update is sixteen bits; what does not fit is no `channel_update`, and none is sent.
    private static func append(_ update: [UInt8], to bytes: inout [UInt8]) {
        let fits = update.count <= Int(UInt16.max)
        BigEndian.append(fits ? UInt64(update.count) : 0, count: 2, to: &bytes)
        if fits { bytes.append(contentsOf: update) }
    }

    /// The flags BADONION 0x8000, PERM 0x4000, NODE 0x2000 and UPDATE 0x1000 with the number.
    public var code: UInt16 {
        switch self {
        case .temporaryNodeFailure: 0x2002
        case .permanentNodeFailure: 0x6002
        case .requiredNodeFeatureMissing: 0x6003
        case .invalidOnionVersion: 0xc004
        case .invalidOnionHMAC: 0xc005
        case .invalidOnionKey: 0xc006
        case .temporaryChannelFailure: 0x1007
        case .permanentChannelFailure: 0x4008
        case .requiredChannelFeatureMissing: 0x4009
        case .unknownNextPeer: 0x400a
        case .amountBelowMinimum: 0x100b
        case .feeInsufficient: 0x100c
        case .incorrectCLTVExpiry: 0x100d
        case .expiryTooSoon: 0x100e
        case .incorrectOrUnknownPaymentDetails: 0x400f
        case .finalIncorrectCLTVExpiry: 18
        case .finalIncorrectHTLCAmount: 19
        case .channelDisabled: 0x1014
        case .expiryTooFar: 21
        case .invalidOnionPayload: 0x4016
        case .mppTimeout: 23
        case .invalidOnionBlinding: 0xc018
        case .other(let code, _): code
        }
    }
}
