internal import ArgumentParser
internal import Delivery
internal import Foundation
internal import Keys
internal import Loop
internal import Payments
internal import Wire

/// `leyden trigger`: a sample event, to try a receiver out.
struct Trigger: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Sends a sample event, signed as webhooks are; exit 1 if it was not taken.",
        discussion: """
            With --forward-to to a local server, without a gateway. Otherwise the gateway sends it to the account's webhook endpoints, \
            or to one of them; that needs an API key with webhooks:write. Samples carry "test": true and are not in the log.
            """)

    @Argument(help: "The type, such as invoice.settled.") var type: String
    @Option(help: "A local server's URL, e.g. http://127.0.0.1:3000/webhook.") var forwardTo: String?
    @Option(help: "The id of the one endpoint to send it to.") var endpoint: String?
    @OptionGroup var forward: ForwardOptions
    @OptionGroup var gateway: GatewayOptions

    func validate() throws {
        guard EventType.allCases.contains(EventType(rawValue: type)) else {
            throw ValidationError("\(Text.shown(type)) is no type of event; there are \(EventType.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        guard forwardTo == nil || endpoint == nil else { throw ValidationError("--endpoint is one of the gateway's; it does not go together with --forward-to") }
    }

    func run() async throws {
        let areTaken = if let forwardTo { try await send(to: forwardTo) } else { try await sendByGateway() }
        if !areTaken { throw ExitCode(1) }
    }

    private func send(to forwardTo: String) async throws -> Bool {
        let secret = try forward.webhookSecret()
        let forwarder = try await Forwarder(to: forwardTo, secret: secret)
        let now = UnixTime(milliseconds: Clock.wallMilliseconds)
        guard let sample = SampleEvent.make(EventType(rawValue: type), account: 1, seed: SecureRandom.bytes32(), at: now, by: LibCrypto.self) else { return false }
        let outcome = await forwarder.send(id: sample.id, body: EventCodec.object(sample))
        if gateway.json {
            Console.json(outcome.fields.merging(forward.shown(secret)) { $1 }.merging(["forward_to": forwardTo, "id": sample.id, "type": type]) { $1 })
        } else {
            Console.line("\(type) \(sample.id) → \(Text.shown(forwardTo)): \(outcome.text), signed with \(forward.words(for: secret))")
        }
        return outcome.isDelivered
    }

    private func sendByGateway() async throws -> Bool {
        let client = try gateway.client()
        let ids = if let endpoint { [endpoint] } else { try await endpoints(client) }
        guard !ids.isEmpty else { throw CommandError("the account has no webhook endpoint; make one, or give --forward-to") }
        var areTaken = true
        for (index, id) in ids.enumerated() {
            // The gateway sends ten samples in a second.
            if index > 0 { try await Task.sleep(for: .milliseconds(100)) }
            guard id.utf8.allSatisfy({ (48...57).contains($0) || (97...122).contains($0) || $0 == 95 }) else { throw CommandError("\(Text.shown(id)) is no id of an endpoint") }
            let answer = try await client.call("POST", "/v1/webhooks/\(id)/test", body: ["type": type])
            let isTaken = answer.flag("delivered")
            areTaken = areTaken && isTaken
            if gateway.json {
                Console.line(answer.line)
            } else {
                let result = isTaken ? Text.shown("\(answer.text("status") ?? "?") in \(answer.text("duration_ms") ?? "?") ms") : Text.shown(answer.text("reason") ?? "not taken")
                Console.line("\(type) → \(id): \(result)")
            }
        }
        return areTaken
    }

    private func endpoints(_ client: GatewayClient) async throws -> [String] {
        var ids: [String] = []
        var after: String?
        repeat {
            let page = try await client.call("GET", "/v1/webhooks", query: after.map { ["after": $0] } ?? [:])
            ids += page.objects("webhooks").filter { $0.text("status") != "disabled" }.compactMap { $0.text("id") }
            after = page.text("next")
        } while after != nil
        return ids
    }
}
