import ArgumentParser
internal import Foundation
import Loop

/// A simulated Lightning network: nodes that speak LND's gRPC, and a payer with real onions, driven over HTTP.
///
/// Guarantees: towards a gateway each node behaves as LND 0.21 does, above all in what it refuses; nodes keep their keys
/// and certificates in their directories, so that a restart changes no identity.
/// It refuses to know Leyden: it imports no room above the adapters, and learns of invoices only by paying them.
@main
struct Lnsim: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lnsim", abstract: "A simulated Lightning network for demos, tests and benchmarks.",
        subcommands: [Run.self])

    struct Run: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Runs simulated LND nodes and the control address (GET / there explains itself).")

        @Option(help: "How many nodes.")
        var nodes = 2
        @Option(help: "Where each node's tls.cert, macaroons, pubkey and address go, in directories 0, 1, ….")
        var dir: String
        @Option(help: "Where the control interface listens; port 0 lets the system choose.")
        var control = "127.0.0.1:9790"
        @Option(help: "The network that the nodes claim to be on.")
        var network = "regtest"
        @Option(help: "The first node's gRPC port; the next ones follow. 0 keeps last time's ports or takes any.")
        var basePort = 0
        @Option(help: "The height of the chain's first block that the nodes see.")
        var height: UInt32 = 800_000

        func validate() throws {
            guard (1...64).contains(nodes) else { throw ValidationError("--nodes must be 1 to 64") }
            guard (0...65_000).contains(basePort) else { throw ValidationError("--base-port must be 0 to 65000") }
            guard (1_000...500_000_000).contains(height) else { throw ValidationError("--height must be 1000 or more") }
            _ = try controlAddress()
        }

        func run() throws {
            let signals = StopSignals()
            let (host, port) = try controlAddress()
            let options = SimulatedNetwork.Options(
                nodes: nodes, directory: dir, network: network, basePort: basePort, height: height)
            let directory = dir
            Task { @LoopActor in
                do {
                    let simulation = try Simulation(options, controlHost: host, controlPort: port)
                    try simulation.publish(in: directory)
                    Simulation.current = simulation
                    print("lnsim: control http://\(host):\(simulation.controlPort)")
                    for (index, node) in simulation.network.nodes.enumerated() {
                        print("lnsim: node \(index) \(node.publicKey) \(node.address)")
                    }
                    fflush(nil)
                } catch {
                    FileHandle.standardError.write(Data("lnsim: \(error)\n".utf8))
                    Foundation.exit(1)
                }
            }
            signals.wait()
            let isStopped = Locked(false)
            Task { @LoopActor in
                Simulation.current?.stop()
                isStopped.withLock { $0 = true }
            }
            // The loop may be busy; a second is enough to say goodbye to clients.
            for _ in 0..<100 where !isStopped.withLock({ $0 }) { usleep(10_000) }
        }

        private func controlAddress() throws -> (host: String, port: Int) {
            guard let colon = control.lastIndex(of: ":"), let port = Int(control[control.index(after: colon)...]),
                (0...65_535).contains(port)
            else { throw ValidationError("--control must be host:port") }
            return (String(control[..<colon]), port)
        }
    }
}
