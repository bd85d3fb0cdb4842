internal import Payments

/// The server's messages of the Centrifuge client protocol in its JSON form.
enum SessionReply {
    static let ping = Array("{}".utf8)

    /// `ping` in seconds tells the client when to miss the server; `pong` asks it to answer.
    static func connected(_ id: UInt32, client: String, version: String, ping: Int64) -> [UInt8] {
        reply(id) { json in
            json.object("connect") { json in
                json.field("client", client)
                json.field("version", version)
                json.field("ping", ping)
                json.field("pong", true)
            }
        }
    }

    static func subscribed(
        _ id: UInt32, epoch: String, head: Int64, recovery: (wasRecovered: Bool, publications: Publications)?, snapshot: [UInt8]?
    ) -> [UInt8] {
        reply(id) { json in
            json.object("subscribe") { json in
                json.field("recoverable", true)
                json.field("positioned", true)
                json.field("epoch", epoch)
                json.field("offset", head)
                if let recovery {
                    json.field("was_recovering", true)
                    json.field("recovered", recovery.wasRecovered)
                    json.array("publications") { $0.raw(recovery.publications.bytes) }
                }
                if let snapshot { json.field("data", raw: snapshot) }
            }
        }
    }

    static func unsubscribed(_ id: UInt32) -> [UInt8] { reply(id) { $0.object("unsubscribe") { _ in } } }
    static func refreshed(_ id: UInt32) -> [UInt8] { reply(id) { $0.object("refresh") { _ in } } }
    static func ponged(_ id: UInt32) -> [UInt8] { reply(id) { $0.object("ping") { _ in } } }

    static func history(_ id: UInt32, epoch: String, head: Int64, _ publications: Publications) -> [UInt8] {
        reply(id) { json in
            json.object("history") { json in
                json.field("epoch", epoch)
                json.field("offset", head)
                json.array("publications") { $0.raw(publications.bytes) }
            }
        }
    }

    static func called(_ id: UInt32, _ data: [UInt8]) -> [UInt8] {
        reply(id) { json in json.object("rpc") { $0.field("data", raw: data) } }
    }

    static func refused(_ id: UInt32, _ error: CentrifugeError) -> [UInt8] {
        reply(id) { json in
            json.object("error") { json in
                json.field("code", Int64(error.code))
                json.field("message", error.message)
                if error.isTemporary { json.field("temporary", true) }
            }
        }
    }

    private static func reply(_ id: UInt32, _ body: (inout JSONWriter) -> Void) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.field("id", UInt64(id))
            body(&json)
        }
        return json.bytes
    }
}
