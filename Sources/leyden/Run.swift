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
    }

    static let configuration = CommandConfiguration(
        abstract: "Runs the gateway.", discussion: "SIGTERM or SIGINT gives the lease back and ends it; HTLCs stay held at their nodes.")

    @OptionGroup var options: ConfigurationOptions
    @Option(help: "all: everything in one process. Separate roles are not served yet.") var role = Role.all

    func run() async throws {
        let configuration = try options.load()
        LoggingSystem.bootstrap(StreamLogHandler.standardError)
        var logger = Logger(label: "leyden")
        logger.logLevel = configuration.logLevel
        try Self.check(configuration, logger)
        let house = try await House(configuration, logger: logger)
        try await house.start()
        let signal = await Self.signal()
        logger.info("stopping", metadata: ["signal": "\(signal)"])
        // A database that does not answer must not keep the process: the lease then ends by itself.
        let patience = Double(configuration.drainTimeout.milliseconds) / 1000
        DispatchQueue.global().asyncAfter(deadline: .now() + patience) { Foundation.exit(0) }
        await house.stop()
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

    /// Comes back with the first of the signals that mean: end.
    private static func signal() async -> Int32 {
        let (signals, continuation) = AsyncStream<Int32>.makeStream()
        let sources = [SIGTERM, SIGINT].map { number -> any DispatchSourceSignal in
            // The default action would end the process before the source is told.
            Foundation.signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { continuation.yield(number) }
            source.activate()
            return source
        }
        defer { for source in sources { source.cancel() } }
        for await number in signals { return number }
        return SIGTERM
    }
}
