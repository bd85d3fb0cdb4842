public import Payments
internal import Logging
internal import Loop

/// Asks a node who it is and whether it could be used, as at every connect, but opens no interceptor: a running gateway
/// keeps its own.
public enum NodeProbe {
    /// Comes back with the first thing that is certain, at the latest when the node has not answered for ten seconds.
    @LoopActor
    public static func run(_ configuration: NodeConfiguration, hash: any SHA256Digest.Type) async -> Result<NodeInfo, NodeProblem> {
        let node = LNDNode(
            configuration: configuration, hash: hash, logger: Logger(label: "probe") { _ in SwiftLogNoOpLogHandler() },
            timing: .init(answer: 10_000), reconnecting: .init(), intercepts: false)
        let outcome: Result<NodeInfo, NodeProblem> = await withCheckedContinuation { done in
            var isTold = false
            node.onState = { [weak node] state in
                guard !isTold, let node else { return }
                switch state {
                case .stopped, .connecting: return
                case .connected(let info), .draining(let info): done.resume(returning: .success(info))
                case .refused(let problem): done.resume(returning: .failure(problem))
                case .waiting(let reason):
                    done.resume(returning: .failure(node.problem ?? NodeProblem(reason: reason, remedy: "wait, or look at the node's log")))
                }
                isTold = true
            }
            node.start()
        }
        node.stop()
        return outcome
    }
}
