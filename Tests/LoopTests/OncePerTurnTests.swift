import Loop
import Testing

@LoopActor
@Suite("What is done once per turn")
struct OncePerTurnTests {
    @Test("runs at the end of the turn, once however often it was asked for, and again in a later one")
    func once() async {
        let turnEnd = OncePerTurn()
        var runs = 0
        for _ in 0..<3 { turnEnd.run { runs += 1 } }
        #expect(runs == 0)
        await withCheckedContinuation { done in LoopActor.atEndOfTurn { done.resume() } }
        #expect(runs == 1)
        // A body may ask for the next turn.
        turnEnd.run { turnEnd.run { runs += 1 } }
        for _ in 0..<2 { await withCheckedContinuation { done in LoopActor.atEndOfTurn { done.resume() } } }
        #expect(runs == 2)
    }
}
