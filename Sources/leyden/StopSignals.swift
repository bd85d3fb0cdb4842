internal import Dispatch
internal import Glibc

/// The signals that mean: end.
struct StopSignals {
    private let stream: AsyncStream<Int32>
    private let sources: [any DispatchSourceProtocol]

    /// A process with a supervisor also ends when that does, which closes its input.
    init(orEndOfInput hasSupervisor: Bool) {
        let (stream, continuation) = AsyncStream<Int32>.makeStream()
        self.stream = stream
        var sources = [SIGTERM, SIGINT].map { number -> any DispatchSourceProtocol in
            // The default action would end the process before the source is told.
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { continuation.yield(number) }
            source.activate()
            return source
        }
        if hasSupervisor {
            let input = DispatchSource.makeReadSource(fileDescriptor: STDIN_FILENO, queue: .global())
            input.setEventHandler {
                input.cancel()
                continuation.yield(SIGTERM)
            }
            input.activate()
            sources.append(input)
        }
        self.sources = sources
    }

    /// Comes back with the next of them.
    func next() async -> Int32 {
        for await number in stream { return number }
        return SIGTERM
    }
}
