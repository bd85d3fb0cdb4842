import GRPC
import Loop
import TestSupport

/// A server with the echo methods, in Swift or in Python, in the clear or with TLS, and a client that is connected to it.
@LoopActor
final class Peer {
    enum Kind: CaseIterable, Sendable { case swiftPlain, swiftTLS, pythonPlain, pythonTLS }

    let client: GRPCClient
    private var server: GRPCServer?
    private var python: PythonPeer?

    init(_ kind: Kind, settings: GRPCSettings = GRPCSettings()) async throws {
        let isTLS = kind == .swiftTLS || kind == .pythonTLS
        let port: Int
        switch kind {
        case .swiftPlain, .swiftTLS:
            let tls = try TLSServerConfiguration(certificatePEM: TestCertificates.valid, keyPEM: TestCertificates.validKey)
            let server = EchoServer.make(tls: isTLS ? tls : nil)
            self.server = server
            port = try server.start()
        case .pythonPlain, .pythonTLS:
            let python = try await PythonPeer.server(tls: isTLS)
            self.python = python
            port = python.port
        }
        let tls = isTLS ? try TLSClient(pinned: TestCertificates.valid) : nil
        client = GRPCClient(host: "127.0.0.1", port: port, tls: tls, settings: settings)
        client.connect()
    }

    func stop() {
        client.close()
        server?.stop()
        server?.closeConnections()
        python?.stop()
    }
}
