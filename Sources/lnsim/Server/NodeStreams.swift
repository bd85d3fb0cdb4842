import GRPC
import Loop

/// The streams that clients have open on a node.
struct NodeStreams {
    var interceptors: [Int: ServerCall] = [:]
    var events: [Int: ServerCall] = [:]
    var blocks: [Int: ServerCall] = [:]
    var states: [Int: ServerCall] = [:]

    /// Numbers are never used twice, not even by another node: a late fact about an old session must fit none.
    @LoopActor private static var lastKey = 0

    /// Keeps the call until it ends and returns its number.
    @LoopActor
    @discardableResult
    mutating func add(
        _ call: ServerCall, to kind: WritableKeyPath<Self, [Int: ServerCall]>, of node: NodeServer,
        whenCancelled body: (@LoopActor (NodeServer, Int) -> Void)? = nil
    ) -> Int {
        Self.lastKey += 1
        let key = Self.lastKey
        self[keyPath: kind][key] = call
        call.onCancel = { [weak node] in
            guard let node else { return }
            node.ended(key, in: kind)
            body?(node, key)
        }
        return key
    }
}
