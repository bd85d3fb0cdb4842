internal import Loop

/// The farewell: nobody new is let in, and those who are here end without all coming back elsewhere at the same moment.
extension EdgeServer {
    /// Stops listening, lets requests that are under way be answered, closes WebSocket clients with 3001 one after the
    /// other, and stops when all have gone, at the latest after the time. Streams and long polls are the application's to
    /// end.
    public func drain(milliseconds: UInt64, _ done: @escaping @LoopActor () -> Void) {
        stopListening()
        isDraining = true
        for connection in Array(connections.values) { connection.drain() }
        hub?.beginDrain(milliseconds: milliseconds)
        let end = Clock.monotonicNanoseconds + milliseconds * 1_000_000
        var steps: Timer?
        let step: @LoopActor () -> Void = { [self] in
            hub?.drainStep()
            guard connections.isEmpty && webSocketClients == 0 || Clock.monotonicNanoseconds >= end else { return }
            steps?.cancel()
            steps = nil
            stop()
            done()
        }
        steps = Timer(afterMilliseconds: 0, repeats: WebSocketHub.drainStepMilliseconds, step)
    }
}

extension WebSocketHub {
    static let drainStepMilliseconds: UInt64 = 100

    /// How many are told to go in one step: a few at once, many spread over the time, but for the last seconds, which are for
    /// their answers.
    func beginDrain(milliseconds: UInt64) {
        let steps = max(1, (Int(milliseconds) - 6000) / Int(Self.drainStepMilliseconds))
        drainCount = clients.count <= 50 ? 50 : max(20, (clients.count + steps - 1) / steps)
    }

    func drainStep() {
        var left = drainCount
        for client in clients where left > 0 && !client.isClosing {
            dismiss(client, code: 3001, reason: "shutdown")
            left -= 1
        }
    }
}
