internal import Foundation
internal import Gateway
internal import Loop

/// Where and for whom `lnmux.Service` is served.
struct GRPCConfiguration: Sendable {
    /// `nil` where it is off.
    var listen: HostPort?
    var tls: Configuration.TLS?
    var settings: LnmuxSettings
    /// Whether somebody has to listen for payments to be held.
    var requiresSubscriber: Bool

    init(_ reader: SettingReader) throws(ConfigurationError) {
        listen = try reader.value("grpc_listen") { (text) throws(BadValue) in text == "off" ? nil : try HostPort(text) }
        tls = try Configuration.TLS(reader, certificate: "grpc.tls_cert", key: "grpc.tls_key")
        settings = LnmuxSettings(
            requiresKey: try reader.value("grpc.require_api_key", SettingParser.bool),
            returnsPreimage: try reader.value("grpc.return_preimage", SettingParser.bool))
        requiresSubscriber = try reader.value("grpc.require_subscriber", SettingParser.bool)
        if let listen, !listen.isLoopback, !settings.requiresKey {
            throw .bad(
                key: "grpc.require_api_key", origin: reader.origin("grpc.require_api_key"),
                reason: "has to be true where grpc_listen is no address of this machine alone")
        }
    }

    /// Reads the files.
    func serverTLS() throws -> TLSServerConfiguration? {
        guard let tls else { return nil }
        do {
            return try TLSServerConfiguration(certificatePEM: try bytes(tls.certificate), keyPEM: try bytes(tls.key))
        } catch let error as TLSError {
            throw CommandError("grpc.tls_cert, grpc.tls_key: \(error)")
        }
    }

    private func bytes(_ path: String) throws(CommandError) -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandError("grpc.tls_cert, grpc.tls_key: \(Text.shown(path)): \(ConfigurationFile.reason(path))")
        }
        return Array(data)
    }
}
