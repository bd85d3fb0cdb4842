import Loop
import Testing

@LoopActor
private final class Counter {
    var value = 0
    var atEnd: [Int] = []
}

@Suite("The loop actor")
struct LoopActorTests {
    @Test("runs isolated code on the loop's thread")
    func isolates() async {
        #expect(await onLoop { LoopActor.loop.isCurrent })
        #expect(!LoopActor.loop.isCurrent)
    }

    @Test("runs end-of-turn work once, after what was ready in the turn")
    func endOfTurn() async throws {
        let counter = await onLoop { Counter() }
        await onLoop {
            LoopActor.atEndOfTurn { counter.atEnd.append(counter.value) }
            counter.value += 1
        }
        await withCheckedContinuation { done in
            Task { @LoopActor in _ = Timer(afterMilliseconds: 5) { done.resume() } }
        }
        #expect(await onLoop { counter.atEnd } == [1])
    }

    @Test("runs end-of-turn work that a timer or other end-of-turn work asks for, without another event", .timeLimit(.minutes(1)))
    func endOfTurnWakes() async {
        await withCheckedContinuation { done in
            Task { @LoopActor in
                _ = Timer(afterMilliseconds: 1) {
                    LoopActor.atEndOfTurn { LoopActor.atEndOfTurn { done.resume() } }
                }
            }
        }
    }

    @Test("a cancelled timer never fires")
    func cancelledTimer() async {
        let counter = await onLoop { Counter() }
        await withCheckedContinuation { done in
            Task { @LoopActor in
                let timer = Timer(afterMilliseconds: 1) { counter.value += 1 }
                timer.cancel()
                timer.cancel()
                _ = Timer(afterMilliseconds: 20) { done.resume() }
            }
        }
        #expect(await onLoop { counter.value } == 0)
    }

    private func onLoop<Result: Sendable>(_ body: @LoopActor () -> Result) async -> Result { await body() }
}
