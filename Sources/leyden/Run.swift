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
        abstract: "Runs the gateway.", discussion: "SIGTERM or SIGINT gives the lease back and ends it; HTLCs stay held at their nodes.")

    @OptionGroup var options: ConfigurationOptions
    @Option(help: "all: everything in one process. mux: the interceptor only. edge: clients only, any number of processes, on one port too.")
    var role = Role.all

    /// Set by the process that supervises this one.
    @Option(help: .hidden) var shard: Int?

    func run() async throws {
        let configuration = try options.load()
        LoggingSystem.bootstrap(StreamLogHandler.standardError)
        var logger = Logger(label: shard.map { "leyden shard \($0)" } ?? "leyden")
        logger.logLevel = configuration.logLevel
        try Self.check(configuration, logger)
        let house = try await House(configuration, role: role, logger: logger)
        try await house.start()
        let shards = shard == nil && role != .mux && configuration.edgeShards > 1
            ? ShardSupervisor(
                shards: configuration.edgeShards, arguments: Array(CommandLine.arguments.dropFirst()),
                internalListen: configuration.internalListen, logger: logger) : nil
        await shards?.start()
        let signal = await Self.signal(orEndOfInput: shard != nil)
        logger.info("stopping", metadata: ["signal": "\(signal)"])
        // A database that does not answer must not keep the process: the lease then ends by itself.
        let patience = Double(configuration.drainTimeout.milliseconds) / 1000
        DispatchQueue.global().asyncAfter(deadline: .now() + patience) { Foundation.exit(0) }
        async let ended: Void? = shards?.stop()
        await house.stop()
        await ended
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

    /// Comes back with the first of the signals that mean: end. So does the end of a supervisor, if there is one.
    private static func signal(orEndOfInput hasSupervisor: Bool) async -> Int32 {
        let (signals, continuation) = AsyncStream<Int32>.makeStream()
        var sources = [SIGTERM, SIGINT].map { number -> any DispatchSourceProtocol in
            // The default action would end the process before the source is told.
            Foundation.signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { continuation.yield(number) }
            source.activate()
            return source
        } as [any DispatchSourceProtocol]
        if hasSupervisor {
            let input = DispatchSource.makeReadSource(fileDescriptor: STDIN_FILENO, queue: .global())
            input.setEventHandler { continuation.yield(SIGTERM) }
            input.activate()
            sources.append(input)
        }
        defer { for source in sources { source.cancel() } }
        for await number in signals { return number }
        return SIGTERM
    }
}
