internal import Foundation
import Loop

/// The network and its control address, running.
@LoopActor
final class Simulation {
    /// The one that the command started; the loop's closures would otherwise be its only owners.
    static var current: Simulation?

    let network: SimulatedNetwork
    let controlPort: Int
    private let controlHost: String
    private let control: ControlServer

    init(_ options: SimulatedNetwork.Options, controlHost: String, controlPort: Int) throws {
        self.controlHost = controlHost
        network = try SimulatedNetwork(options)
        let routes = ControlRoutes(network)
        control = ControlServer { request, answer in routes.handle(request, answer) }
        try network.start()
        self.controlPort = try control.start(host: controlHost, port: controlPort)
    }

    /// Writes the control address beside the nodes, for callers that let the system choose its port.
    func publish(in directory: String) throws {
        try Data("\(controlHost):\(controlPort)\n".utf8).write(to: URL(fileURLWithPath: directory + "/control"), options: .atomic)
    }

    func stop() {
        control.stop()
        network.stop()
    }
}
