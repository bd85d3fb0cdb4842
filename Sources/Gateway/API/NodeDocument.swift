internal import LND
internal import Loop
internal import Payments
internal import Wire

/// A node as the outside sees it: its state and, if it is not usable, the reason and the remedy, which only the leader
/// knows.
@LoopActor
enum NodeDocument {
    static func append(_ node: LNDNode, state: String, isWhole: Bool = true, to json: inout JSONWriter) {
        json.object { json in
            json.field("name", node.configuration.name)
            json.field("pubkey", node.pubkey.hex)
            if isWhole { json.field("address", "\(node.configuration.host):\(node.configuration.port)") }
            json.field("state", state)
            guard isWhole else { return }
            if let info = node.info {
                json.field("alias", info.alias)
                json.field("version", info.version.map { "\($0)" })
                json.field("block_height", Int64(info.blockHeight))
            }
            if let problem = node.problem {
                json.field("reason", problem.reason)
                json.field("remedy", problem.remedy)
            }
        }
    }
}
