internal import Foundation
internal import Logging

/// The other processes of `edge.shards`: each is `leyden run --role edge` on the same port, and is started again when it
/// ends.
///
/// They hang on this process by their standard input: when that is closed, in whatever way this process ends, they drain.
actor ShardSupervisor {
    /// A shard that cannot start must not keep the machine busy.
    private static let pause = Duration.seconds(1)

    private let numbers: ClosedRange<Int>
    /// The command line of this process; what comes later in it is stronger.
    private let arguments: [String]
    private let internalListen: HostPort
    private let logger: Logger
    private var running: [Int: (process: Process, input: Pipe)] = [:]
    private var isStopping = false
    private var whenAllEnded: CheckedContinuation<Void, Never>?

    /// `shards` counts this process, which is the first.
    init(shards: Int, arguments: [String], internalListen: HostPort, logger: Logger) {
        numbers = 2...max(2, shards)
        self.arguments = arguments
        self.internalListen = internalListen
        self.logger = logger
    }

    func start() { for number in numbers { start(number) } }

    /// Comes back when all have drained and ended.
    func stop() async {
        isStopping = true
        guard !running.isEmpty else { return }
        for (process, _) in running.values { process.terminate() }
        await withCheckedContinuation { whenAllEnded = $0 }
    }

    private func start(_ number: Int) {
        guard !isStopping else { return }
        let process = Process()
        let input = Pipe()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe")
        process.arguments = arguments + [
            "--role", "edge", "--shard", "\(number)", "--internal-listen", "\(internalListen.shifted(by: number - 1))",
        ]
        process.standardInput = input
        process.terminationHandler = { [weak self] ended in
            let status = ended.terminationStatus
            Task { await self?.ended(number, status) }
        }
        do {
            try process.run()
            running[number] = (process, input)
            logger.info("shard started", metadata: ["shard": "\(number)", "pid": "\(process.processIdentifier)"])
        } catch {
            logger.error("shard does not start", metadata: ["shard": "\(number)", "reason": "\(error)"])
            startLater(number)
        }
    }

    private func ended(_ number: Int, _ status: Int32) {
        running[number] = nil
        if isStopping {
            guard running.isEmpty else { return }
            whenAllEnded?.resume()
            whenAllEnded = nil
        } else {
            logger.warning("shard ended; starting it again", metadata: ["shard": "\(number)", "status": "\(status)"])
            startLater(number)
        }
    }

    private func startLater(_ number: Int) {
        Task {
            try? await Task.sleep(for: Self.pause)
            start(number)
        }
    }
}
