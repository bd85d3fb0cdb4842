public import Payments

/// One tagged field of an invoice. Fields may come in any order; readers keep that order, so that what was read can be
/// written again unchanged.
public enum Bolt11Field: Equatable, Sendable {
    case paymentHash(PaymentHash)
    case paymentSecret(PaymentSecret)
    case description(String)
    case descriptionHash(Bytes32)
    case metadata([UInt8])
    case payee(PublicKey)
    /// Seconds after the timestamp.
    case expiry(UInt64)
    case minFinalCLTVExpiry(UInt64)
    /// Witness versions 0...16, 17 for P2PKH and 18 for P2SH.
    case fallback(version: UInt8, program: [UInt8])
    /// One way to the payee; several such fields are alternatives.
    case route([HopHint])
    case features(FeatureBits)
    /// A tag that is not known, or a known one whose data has a length that no reader takes: to be skipped.
    case unknown(tag: UInt8, groups: [UInt8])

    /// The most groups that the ten bits of a field's length can tell.
    static let limit = 1023

    enum Tag {
        static let paymentHash: UInt8 = 1
        static let route: UInt8 = 3
        static let features: UInt8 = 5
        static let expiry: UInt8 = 6
        static let fallback: UInt8 = 9
        static let description: UInt8 = 13
        static let paymentSecret: UInt8 = 16
        static let payee: UInt8 = 19
        static let descriptionHash: UInt8 = 23
        static let minFinalCLTVExpiry: UInt8 = 24
        static let metadata: UInt8 = 27
    }

    /// Appends tag, length and data. `false`, and nothing appended, if the data is too long for a field.
    func append(to groups: inout [UInt8]) -> Bool {
        switch self {
        case .paymentHash(let hash): return Self.append(Tag.paymentHash, hash.bytes.storage.span, to: &groups)
        case .paymentSecret(let secret): return Self.append(Tag.paymentSecret, secret.bytes.storage.span, to: &groups)
        case .description(let text): return Self.append(Tag.description, Array(text.utf8).span, to: &groups)
        case .descriptionHash(let hash): return Self.append(Tag.descriptionHash, hash.storage.span, to: &groups)
        case .metadata(let bytes): return Self.append(Tag.metadata, bytes.span, to: &groups)
        case .payee(let key): return Self.append(Tag.payee, key.storage.span, to: &groups)
        case .expiry(let seconds): return Self.append(Tag.expiry, seconds, to: &groups)
        case .minFinalCLTVExpiry(let blocks): return Self.append(Tag.minFinalCLTVExpiry, blocks, to: &groups)
        case .fallback(let version, let program):
            let count = 1 + FiveBitGroups.count(forBytes: program.count)
            guard count <= Self.limit else { return false }
            Self.appendHead(Tag.fallback, count, to: &groups)
            groups.append(version & 31)
            FiveBitGroups.append(program.span, to: &groups)
            return true
        case .route(let hops):
            guard hops.count <= HopHint.limit else { return false }
            var bytes = [UInt8]()
            bytes.reserveCapacity(hops.count * HopHint.length)
            for hop in hops { hop.append(to: &bytes) }
            return Self.append(Tag.route, bytes.span, to: &groups)
        case .features(let features): return Self.append(Tag.features, groups: features.groups, to: &groups)
        case .unknown(let tag, let data): return Self.append(tag & 31, groups: data, to: &groups)
        }
    }

    private static func append(_ tag: UInt8, _ bytes: borrowing Span<UInt8>, to groups: inout [UInt8]) -> Bool {
        let count = FiveBitGroups.count(forBytes: bytes.count)
        guard count <= limit else { return false }
        appendHead(tag, count, to: &groups)
        FiveBitGroups.append(bytes, to: &groups)
        return true
    }

    private static func append(_ tag: UInt8, _ value: UInt64, to groups: inout [UInt8]) -> Bool {
        let count = FiveBitGroups.count(for: value)
        appendHead(tag, count, to: &groups)
        FiveBitGroups.append(value, count: count, to: &groups)
        return true
    }

    private static func append(_ tag: UInt8, groups data: [UInt8], to groups: inout [UInt8]) -> Bool {
        guard data.count <= limit else { return false }
        appendHead(tag, data.count, to: &groups)
        groups.append(contentsOf: data)
        return true
    }

    private static func appendHead(_ tag: UInt8, _ count: Int, to groups: inout [UInt8]) {
        groups.append(tag)
        groups.append(UInt8(count >> 5))
        groups.append(UInt8(count & 31))
    }

    init(tag: UInt8, groups: ArraySlice<UInt8>) throws(Bolt11Invoice.Failure) {
        let unknown = Self.unknown(tag: tag, groups: Array(groups))
        switch tag {
        case Tag.paymentHash: self = Self.hash(groups).map { .paymentHash(PaymentHash($0)) } ?? unknown
        case Tag.paymentSecret: self = Self.hash(groups).map { .paymentSecret(PaymentSecret($0)) } ?? unknown
        case Tag.descriptionHash: self = Self.hash(groups).map { .descriptionHash($0) } ?? unknown
        case Tag.payee:
            guard groups.count == 53 else {
                self = unknown
                return
            }
            guard let key = PublicKey(FiveBitGroups.bytes(of: groups)) else { throw .payee }
            self = .payee(key)
        case Tag.description:
            guard let text = String(validating: FiveBitGroups.bytes(of: groups), as: UTF8.self) else { throw .descriptionText }
            self = .description(text)
        case Tag.metadata: self = .metadata(FiveBitGroups.bytes(of: groups))
        case Tag.expiry:
            guard let seconds = FiveBitGroups.integer(of: groups) else { throw .expiry }
            self = .expiry(seconds)
        case Tag.minFinalCLTVExpiry:
            guard let blocks = FiveBitGroups.integer(of: groups) else { throw .minFinalCLTVExpiry }
            self = .minFinalCLTVExpiry(blocks)
        case Tag.fallback: self = Self.fallback(groups) ?? unknown
        case Tag.route:
            let bytes = FiveBitGroups.bytes(of: groups)
            guard let hops = HopHint.hops(bytes) else { throw .route }
            self = hops.isEmpty ? unknown : .route(hops)
        case Tag.features: self = .features(FeatureBits(groups: groups))
        default: self = unknown
        }
    }

    /// `nil` unless there are fifty-two groups: readers skip such fields.
    private static func hash(_ groups: ArraySlice<UInt8>) -> Bytes32? {
        groups.count == 52 ? Bytes32(FiveBitGroups.bytes(of: groups)) : nil
    }

    private static func fallback(_ groups: ArraySlice<UInt8>) -> Self? {
        guard let version = groups.first, version <= 18 else { return nil }
        let program = FiveBitGroups.bytes(of: groups.dropFirst())
        let fits = version >= 17 ? program.count == 20 : (2...40).contains(program.count)
        return fits ? .fallback(version: version, program: program) : nil
    }
}
