internal import Foundation
internal import GRPC
internal import Gateway
internal import Logging
internal import Loop

/// `lnmux.Service` on its address.
@LoopActor
final class LnmuxServer {
    private let address: HostPort
    private let server: GRPCServer
    private let service: LnmuxService
    private let mayBeTaken: Bool
    private let logger: Logger

    /// `nil` where it is off. An address that `mayBeTaken` is left to another process of this machine that serves there; such
    /// processes share it among themselves.
    init?(_ configuration: GRPCConfiguration, api: GatewayAPI, mayBeTaken: Bool, logger: Logger) throws {
        guard let address = configuration.listen else { return nil }
        self.address = address
        self.mayBeTaken = mayBeTaken
        self.logger = logger
        server = GRPCServer(
            host: address.numericHost, port: Int(address.port), tls: try configuration.serverTLS(), settings: LnmuxSettings.serverSettings)
        service = LnmuxService(api: api, settings: configuration.settings)
        service.serve(on: server)
    }

    /// Listens; the port in use, or `nil` if it is left to another process.
    func start() throws(CommandError) -> Int? {
        do throws(TCPListener.Failure) {
            return try server.start(sharingPort: mayBeTaken)
        } catch {
            guard case .cannotListen(let number) = error else { throw CommandError("grpc_listen: \(address.host) is no address of this machine") }
            let reason = unsafe String(cString: strerror(number))
            guard mayBeTaken else {
                throw CommandError("grpc_listen: cannot listen on \(address): \(reason); set another address, or off")
            }
            logger.warning("lnmux.Service is not served here", metadata: ["address": "\(address)", "reason": "\(reason)"])
            return nil
        }
    }

    /// Takes no new calls.
    func stop() { server.stop() }
}
