import GRPC
import Loop

/// All that a call brought.
struct CallOutcome: Sendable {
    var messages: [[UInt8]]
    var status: GRPCStatus
    var trailers: Metadata
}

extension GRPCClient {
    /// Sends these messages, closes this side and waits for the end.
    func outcome(
        _ method: String, _ messages: [[UInt8]] = [[]], metadata: Metadata = Metadata(), deadlineMilliseconds: Int? = nil
    ) async -> CallOutcome {
        await withCheckedContinuation { done in
            var received: [[UInt8]] = []
            let call = call("/test.Echo/" + method, metadata: metadata, deadlineMilliseconds: deadlineMilliseconds) {
                received.append($0)
            } onEnd: { status, trailers in
                done.resume(returning: CallOutcome(messages: received, status: status, trailers: trailers))
            }
            for message in messages { call.send(message) }
            call.halfClose()
        }
    }

    /// Waits until the connection is over.
    func closedReason() async -> ClosedReason {
        await withCheckedContinuation { done in
            if case .closed(let reason) = state { return done.resume(returning: reason) }
            onState = { if case .closed(let reason) = $0 { done.resume(returning: reason) } }
        }
    }
}

/// Lets the loop run for a while.
@LoopActor
func pause(milliseconds: UInt64) async {
    await withCheckedContinuation { done in _ = Timer(afterMilliseconds: milliseconds) { done.resume() } }
}
