internal import ArgumentParser
internal import Foundation

/// `leyden events`: the one log.
struct Events: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Follows what happens.", subcommands: [Tail.self])

    struct Tail: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints events as they come, for ever.",
            discussion: "Resumes by itself after a lost connection; no event is missed or printed twice.")

        @Option(help: "Begin with the event after this offset instead of the next one.") var after: UInt64?
        @Option(help: "Only events of this type, such as invoice.settled or htlc.*.") var type: String?
        @OptionGroup var gateway: GatewayOptions

        func run() async throws {
            let client = try gateway.client()
            try await LogTail(client, type: type, after: after).follow { event in
                Console.line(gateway.json ? event.data : EventLine.text(event.data))
            }
        }
    }
}

/// An event as a person reads it.
enum EventLine {
    static func text(_ json: String) -> String {
        guard let event = JSONObject(Data(json.utf8)), let type = event.text("type") else { return Text.shown(json) }
        var parts = [event.text("offset") ?? "-", event.text("time") ?? "-", type].map { Text.shown($0) }
        if let data = event.object("data") {
            for key in ["payment_hash", "node_name", "chan_id", "htlc_id", "amount_msat", "received_msat", "reason"] {
                if let value = data.text(key) { parts.append("\(key)=\(Text.shown(value))") }
            }
            if let set = data.text("set_id") { parts.append("set_id=\(Text.shown(set))") }
        }
        return parts.joined(separator: " ")
    }
}
