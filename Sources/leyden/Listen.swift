internal import ArgumentParser
internal import Foundation
internal import Keys

/// `leyden listen`: webhooks for a server that only this machine can reach.
struct Listen: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Forwards events to a local server, signed as webhooks are, for ever.",
        discussion: """
            Needs an API key with events:read and no endpoint. Prints the secret that it signs with if it makes one. Resumes by itself after a lost \
            connection; what the server does not take is told and not sent again.
            """)

    @Option(help: "The local server's URL, e.g. http://127.0.0.1:3000/webhook.") var forwardTo: String
    @Option(help: "Begin with the event after this offset instead of the next one.") var after: UInt64?
    @Option(help: "Only events of this type, such as invoice.settled or htlc.*.") var type: String?
    @OptionGroup var forward: ForwardOptions
    @OptionGroup var gateway: GatewayOptions

    func run() async throws {
        let client = try gateway.client()
        let secret = try forward.webhookSecret()
        let forwarder = try await Forwarder(to: forwardTo, secret: secret)
        let tail = try await LogTail(client, type: type, after: after)
        if gateway.json {
            Console.json(forward.shown(secret).merging(["forward_to": forwardTo, "after": tail.start]) { $1 })
        } else {
            Console.line("Forwarding to \(Text.shown(forwardTo)), signed with \(forward.words(for: secret))")
        }
        try await tail.follow { event in
            guard let object = JSONObject(Data(event.data.utf8)), let id = object.text("id") else { return }
            let outcome = await forwarder.send(id: id, body: Array(event.data.utf8))
            if gateway.json {
                Console.json(outcome.fields.merging(["offset": object.text("offset") ?? "", "id": id, "type": object.text("type") ?? ""]) { $1 })
            } else {
                Console.line("\(EventLine.text(event.data)) → \(outcome.text)")
            }
        }
    }
}
