internal import Bolt
public import Payments

/// Notes that the gateway writes into its invoices' payment metadata (BOLT 11 field `m`) and that come back with the payment.
///
/// A note is sealed for one payment secret: nobody else can read, alter or move it to another invoice. The key stream
/// depends on the note's own tag, so two notes for one secret do not share it.
public struct InvoiceNotes: Sendable {
    private let stream: SecretBytes
    private let tag: SecretBytes

    private static let tagLength = 16
    /// What fits an invoice's field.
    public static let maximumLength = 639 - tagLength

    public init(identity: IdentityKey) {
        stream = identity.derive("invoice note: stream")
        tag = identity.derive("invoice note: tag")
    }

    public func seal(_ note: [UInt8], for secret: PaymentSecret) -> [UInt8] {
        let tag = tag(of: note, secret)
        var bytes = note
        apply(tag, secret, to: &bytes)
        return tag + bytes
    }

    /// `nil` unless it was sealed here for this secret, and not altered.
    public func open(_ sealed: [UInt8], for secret: PaymentSecret) -> [UInt8]? {
        guard sealed.count >= Self.tagLength else { return nil }
        let given = Array(sealed[..<Self.tagLength])
        var bytes = Array(sealed[Self.tagLength...])
        apply(given, secret, to: &bytes)
        let difference = zip(tag(of: bytes, secret), given).reduce(0) { $0 | ($1.0 ^ $1.1) }
        return difference == 0 ? bytes : nil
    }

    private func tag(of note: [UInt8], _ secret: PaymentSecret) -> [UInt8] {
        Array(tag.withSpan { LibCrypto.hmacSHA256(key: $0, secret.bytes.storage.span, note.span) }.array.prefix(Self.tagLength))
    }

    private func apply(_ tag: [UInt8], _ secret: PaymentSecret, to bytes: inout [UInt8]) {
        let key = stream.withSpan { LibCrypto.hmacSHA256(key: $0, secret.bytes.storage.span, tag.span) }
        var span = bytes.mutableSpan
        LibCrypto.chaCha20(key: key, into: &span)
    }
}

extension InvoiceNotes: CustomStringConvertible, CustomReflectable {
    public var description: String { "InvoiceNotes" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
