internal import Ledger
internal import Logging
internal import Loop

/// Keeps the log within its time while this process leads: begins its partitions and drops those that have gone by.
@LoopActor
final class Retention {
    private static let day: Int64 = 86_400_000

    private let ledger: Ledger
    private let milliseconds: Int64
    private let logger: Logger
    private var timer: Timer?

    init(ledger: Ledger, milliseconds: Int64, logger: Logger) {
        self.ledger = ledger
        self.milliseconds = milliseconds
        self.logger = logger
    }

    /// A day, or less where little is kept, so that never much more is kept than was asked for.
    var step: Int64 { min(Self.day, max(1000, milliseconds / 7)) }

    func start(term: Int64) {
        stop()
        timer = Timer(afterMilliseconds: 1000, repeats: UInt64(min(60_000, max(1000, step / 4)))) { [weak self] in self?.keep(term) }
    }

    func stop() {
        timer?.cancel()
        timer = nil
    }

    private func keep(_ term: Int64) {
        ledger.beginPartition(term: term, stepMilliseconds: step) { [weak self] result in
            guard let self, timer != nil else { return }
            if case .failure(let error) = result { return logger.warning("no new partition of the log", metadata: ["reason": "\(error)"]) }
            ledger.dropPartitions(term: term, retentionMilliseconds: milliseconds) { [weak self] result in
                guard let self else { return }
                switch result {
                case .success(0): break
                case .success(let count): logger.info("old events dropped", metadata: ["partitions": "\(count)"])
                case .failure(let error): logger.warning("old events not dropped yet", metadata: ["reason": "\(error)"])
                }
            }
        }
    }
}
