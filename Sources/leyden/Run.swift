internal import ArgumentParser
internal import Dispatch
internal import Foundation
internal import Logging

/// `leyden run`: the gateway itself.
struct Run: AsyncParsableCommand {
    /// Which part of the gateway a process is.
    enum Role: String, ExpressibleByArgument, CaseIterable {
        /// Everything in one process.
        case all
        /// Intercepts, and serves nobody but the operator.
        case mux
        /// Serves clients; any number of them, on one port too.
        case edge
    }

    static let configuration = CommandConfiguration(
        abstract: "Runs the gateway.", discussion: "SIGTERM or SIGINT gives the lease back, lets clients go within drain_timeout and ends it; a second one ends it at once. HTLCs stay held at their nodes.")

    @OptionGroup var options: ConfigurationOptions
    @Option(help: "all: everything in one process. mux: the interceptor only. edge: clients only, any number of processes, on one port too.")
    var role = Role.all

    /// Set by the process that supervises this one.
    @Option(help: .hidden) var shard: Int?

    func run() async throws {
        let configuration = try options.load()
        let format = configuration.logFormat
        LoggingSystem.bootstrap { LineLogHandler(label: $0, format: format) }
        var logger = Logger(label: shard.map { "leyden shard \($0)" } ?? "leyden")
        logger.logLevel = configuration.logLevel
        try Self.check(configuration, logger)
        let house = try await House(configuration, role: role, isShard: shard != nil, logger: logger)
        try await house.start()
        let shards = shard == nil && role != .mux && configuration.edgeShards > 1
            ? ShardSupervisor(
                shards: configuration.edgeShards, arguments: Array(CommandLine.arguments.dropFirst()),
                internalListen: configuration.internalListen, logger: logger) : nil
        await shards?.start()
        // A shard is its first process's business, not the service manager's.
        let manager = shard == nil ? ServiceManager(environment: ProcessInfo.processInfo.environment) : nil
        await manager?.ready()
        let signals = StopSignals(orEndOfInput: shard != nil)
        let signal = await signals.next()
        logger.info("stopping", metadata: ["signal": "\(signal)"])
        await manager?.stopping()
        // A database that does not answer must not keep the process: the lease then ends by itself.
        let patience = Double(configuration.drainTimeout.milliseconds) / 1000
        DispatchQueue.global().asyncAfter(deadline: .now() + patience) { Foundation.exit(0) }
        let interval = configuration.drainTimeout
        Task {
            async let ended: Void? = shards?.stop()
            await house.stop(within: interval)
            await ended
            Foundation.exit(0)
        }
        // Who asks twice does not want to wait for the clients.
        _ = await signals.next()
        Foundation.exit(0)
    }

    /// What `leyden doctor` would call an error refuses the start, unless it keeps out no more than one node.
    private static func check(_ configuration: Configuration, _ logger: Logger) throws(CommandError) {
        for finding in ConfigurationChecks.findings(configuration) where finding.level != .ok {
            let line = "\(finding.subject): \(finding.message)" + (finding.remedy.map { "; \($0)" } ?? "")
            if finding.level == .error, !finding.isLeftToNode { throw CommandError(line) }
            logger.warning("\(line)")
        }
    }
}
