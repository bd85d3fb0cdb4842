internal import CCrypto
internal import Payments

/// Thirty-two secret bytes in one place of memory that is wiped when the last owner is gone. It tells nothing about itself.
@safe
final class SecretBytes: @unchecked Sendable {
    // @unchecked: the bytes are written in `init` and wiped in `deinit`; between them they are only read.
    private let bytes: UnsafeMutableBufferPointer<UInt8>

    init(_ secret: Bytes32) {
        unsafe bytes = .allocate(capacity: 32)
        for index in 0..<32 { unsafe bytes.initializeElement(at: index, to: secret[index]) }
    }

    deinit {
        unsafe OPENSSL_cleanse(bytes.baseAddress, 32)
        unsafe bytes.deallocate()
    }

    /// Lends the bytes; the span cannot escape.
    func withSpan<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
        unsafe body(Span(_unsafeElements: UnsafeBufferPointer(bytes)))
    }
}

extension SecretBytes: CustomStringConvertible, CustomReflectable {
    var description: String { "SecretBytes(hidden)" }
    var customMirror: Mirror { Mirror(self, children: []) }
}
