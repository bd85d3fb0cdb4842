internal import Glibc
internal import Payments

/// Where a certificate or a macaroon comes from. Its description never shows the bytes.
public enum CredentialSource: Equatable, Sendable {
    /// Read again whenever the node refuses what was read before.
    case path(String)
    case bytes([UInt8])

    /// A certificate as a path, or its PEM or DER itself, as it is, in hex or in base64.
    public init(certificate text: String) {
        self.init(text) { $0.starts(with: Self.pemStart) || $0.first == 0x30 }
    }

    /// A macaroon as a path, or its bytes in hex or in base64.
    public init(macaroon text: String) {
        self.init(text) { $0.first == 2 && $0.count >= 32 }
    }

    private static let pemStart = Array("-----BEGIN".utf8)

    /// What decodes to something that begins like the credential is one; everything else is a path.
    private init(_ text: String, isCredential: ([UInt8]) -> Bool) {
        let compact = text.utf8.filter { !Self.isSpace($0) }
        if text.utf8.starts(with: Self.pemStart) {
            self = .bytes(Array(text.utf8))
        } else if let bytes = Hex.decode(String(decoding: compact, as: UTF8.self)), isCredential(bytes) {
            self = .bytes(bytes)
        } else if let bytes = Base64.decode(compact), isCredential(bytes) {
            self = .bytes(bytes)
        } else {
            self = .path(text)
        }
    }

    static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }

    enum ReadError: Error, Equatable {
        case cannotOpen
        case cannotRead
        case empty
        case tooLong
    }

    /// No certificate and no macaroon comes near it.
    static let longest = 64 * 1024

    /// The bytes as they are now.
    func read() throws(ReadError) -> [UInt8] {
        switch self {
        case .bytes(let bytes):
            guard !bytes.isEmpty else { throw .empty }
            return bytes
        case .path(let path):
            return try Self.read(path)
        }
    }

    private static func read(_ path: String) throws(ReadError) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .cannotOpen }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            guard count >= 0 else { throw .cannotRead }
            if count == 0 { break }
            bytes.append(contentsOf: chunk.prefix(count))
            guard bytes.count <= longest else { throw .tooLong }
        }
        guard !bytes.isEmpty else { throw .empty }
        return bytes
    }
}

extension CredentialSource: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String {
        switch self {
        case .path(let path): path
        case .bytes: "given inline"
        }
    }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
