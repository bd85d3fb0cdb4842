import Payments

/// What was last read from a source, kept until the node refuses it.
struct Credential {
    let source: CredentialSource
    private var bytes: [UInt8]?

    init(_ source: CredentialSource) { self.source = source }

    mutating func value() throws(CredentialSource.ReadError) -> [UInt8] {
        if let bytes { return bytes }
        let read = try source.read()
        bytes = read
        return read
    }

    /// The next ``value()`` reads the source again: the file may have been renewed.
    mutating func refused() { bytes = nil }
}

/// A macaroon as LND wants it in the metadata: the hex of its bytes.
enum Macaroon {
    static let metadataName = "macaroon"

    /// Files that hold the hex already are taken too.
    static func metadataValue(_ bytes: [UInt8]) -> String {
        let text = bytes.filter { !CredentialSource.isSpace($0) }
        if let decoded = Hex.decode(String(decoding: text, as: UTF8.self)) { return Hex.encode(decoded) }
        return Hex.encode(bytes)
    }
}
