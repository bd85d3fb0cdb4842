internal import Foundation
import Keys
import Payments

/// The files of one node: what clients need to connect to it, and what the node itself needs to stay who it is.
///
/// Whatever is there already is kept, so that a restart changes neither key nor certificate.
struct NodeDirectory {
    enum Failure: Error, Equatable, CustomStringConvertible {
        case unusable(path: String)
        case cannotMake(String)

        var description: String {
            switch self {
            case .unusable(let path): "cannot read or write \(path)"
            case .cannotMake(let what): "cannot make \(what)"
            }
        }
    }

    let path: String
    let identity: IdentityKey
    let certificatePEM: [UInt8]
    let keyPEM: [UInt8]
    /// The tokens that the node accepts.
    let macaroons: Set<[UInt8]>

    init(path: String) throws(Failure) {
        self.path = path
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw .unusable(path: path)
        }
        guard let secret = Bytes32(try Self.keep("identity.key", in: path, isSecret: true) { SecureRandom.bytes(32) }),
            let identity = IdentityKey(secret)
        else { throw .cannotMake("the node's key") }
        self.identity = identity
        if let certificate = Self.read("tls.cert", in: path), let key = Self.read("tls.key", in: path) {
            (certificatePEM, keyPEM) = (certificate, key)
        } else {
            let serial = SecureRandom.bytes(8).reduce(0) { $0 << 8 | UInt64($1) } >> 1
            guard let made = SelfSignedCertificate(hostName: "lnsim", serial: serial) else {
                throw .cannotMake("a certificate")
            }
            (certificatePEM, keyPEM) = (made.certificatePEM, made.keyPEM)
            try Self.write(keyPEM, to: "tls.key", in: path, isSecret: true)
            try Self.write(certificatePEM, to: "tls.cert", in: path)
        }
        let rootKey = SecureRandom.bytes(32)
        macaroons = [
            try Self.keep("admin.macaroon", in: path, isSecret: true) {
                Macaroon.make(operations: Macaroon.adminOperations, rootKey: rootKey, nonce: SecureRandom.bytes(16))
            },
            try Self.keep("gateway.macaroon", in: path, isSecret: true) {
                Macaroon.make(operations: Macaroon.gatewayOperations, rootKey: rootKey, nonce: SecureRandom.bytes(16))
            },
        ]
        try Self.write(Array((identity.publicKey.hex + "\n").utf8), to: "pubkey", in: path)
    }

    /// Says where the node listens.
    func publish(address: String) throws(Failure) { try Self.write(Array((address + "\n").utf8), to: "address", in: path) }

    /// The port that the node had last time, so that clients find it again after a restart.
    var lastPort: Int? {
        guard let bytes = Self.read("address", in: path) else { return nil }
        return String(decoding: bytes, as: UTF8.self).split(separator: ":").last.flatMap { text in
            Int(text.filter(\.isNumber))
        }
    }

    private static func keep(
        _ name: String, in path: String, isSecret: Bool, make: () -> [UInt8]
    ) throws(Failure) -> [UInt8] {
        if let bytes = read(name, in: path), !bytes.isEmpty { return bytes }
        let bytes = make()
        try write(bytes, to: name, in: path, isSecret: isSecret)
        return bytes
    }

    private static func read(_ name: String, in path: String) -> [UInt8]? {
        FileManager.default.contents(atPath: path + "/" + name).map { [UInt8]($0) }
    }

    private static func write(_ bytes: [UInt8], to name: String, in path: String, isSecret: Bool = false) throws(Failure) {
        let file = path + "/" + name
        let mode: Int16 = isSecret ? 0o600 : 0o644
        guard FileManager.default.createFile(atPath: file, contents: Data(bytes), attributes: [.posixPermissions: mode])
        else { throw .unusable(path: file) }
    }
}
