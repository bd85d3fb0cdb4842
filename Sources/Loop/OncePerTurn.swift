/// Runs a body at the end of a turn of the loop: once, however often that was asked for in the turn.
@LoopActor
public final class OncePerTurn {
    private var isAwaited = false

    public init() {}

    /// While one body is awaited, others are dropped: what asks has one thing to do.
    public func run(_ body: @escaping @LoopActor () -> Void) {
        guard !isAwaited else { return }
        isAwaited = true
        LoopActor.atEndOfTurn { [self] in
            isAwaited = false
            body()
        }
    }
}
