/// The payment path's actor: everything marked with it runs on one libuv loop, so calls between such parts are plain
/// calls and nothing can change between a decision and its effect.
@globalActor
public actor LoopActor {
    public static let shared = LoopActor()
    /// The loop that the actor runs on. It starts when it is first asked for and lives as long as the process.
    public nonisolated static var loop: EventLoop { shared.executor }

    private nonisolated let executor = EventLoop()
    public nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    /// Enters the actor from a C callback that is known to run on the loop's thread; traps on any other.
    public nonisolated static func assumeIsolated<Result: Sendable>(
        _ body: @LoopActor () throws -> Result
    ) rethrows -> Result {
        typealias Isolated = @LoopActor () throws -> Result
        typealias Plain = () throws -> Result
        shared.preconditionIsolated()
        // The cast drops only the isolation, which the line above has established; the standard library's own
        // `MainActor.assumeIsolated` is built in this way.
        return try withoutActuallyEscaping(body) { (_ body: @escaping Isolated) throws -> Result in
            try unsafe unsafeBitCast(body, to: Plain.self)()
        }
    }

    /// Runs `body` when everything that is ready in this turn of the loop has been served.
    @LoopActor
    public static func atEndOfTurn(_ body: @escaping @LoopActor () -> Void) {
        loop.atEndOfTurn { assumeIsolated(body) }
    }
}
