internal import ArgumentParser
internal import Delivery
internal import Foundation
internal import Keys
internal import Loop
internal import Payments
internal import Webhooks

/// Where a developer's own server listens, and the secret that it checks signatures with.
struct ForwardOptions: ParsableArguments {
    @Option(help: "The secret to sign with, whsec_…, else a new one. LEYDEN_WEBHOOK_SECRET does not show it to other users of this machine.")
    var secret: String?

    private var given: String? {
        let text = secret ?? ProcessInfo.processInfo.environment["LEYDEN_WEBHOOK_SECRET"]
        return text?.isEmpty == false ? text : nil
    }

    func webhookSecret() throws -> WebhookSecret {
        guard let text = given else { return WebhookSecret() }
        guard let secret = WebhookSecret(text: text) else { throw CommandError("the secret is none: whsec_ and 32 bytes of base64") }
        return secret
    }

    /// Only a new one is told: the other is known, and logs are read by many.
    func words(for secret: WebhookSecret) -> String { given == nil ? secret.text : "the secret that was given" }
    func shown(_ secret: WebhookSecret) -> [String: Any] { given == nil ? ["secret": secret.text] : [:] }
}

/// Sends events to a developer's server as the gateway sends webhooks: the same body, fields and signatures, no redirects.
struct Forwarder: Sendable {
    /// What came of one of them.
    struct Outcome: Sendable {
        var answer: OutboundAnswer
        var milliseconds: Int64

        var isDelivered: Bool { if case .delivered = verdict { true } else { false } }
        private var verdict: Verdict { Verdict(answer, at: UnixTime(milliseconds: Clock.wallMilliseconds)) }

        /// `200 in 12 ms`, or why it was not taken.
        var text: String {
            switch verdict {
            case .delivered(let status): "\(status) in \(milliseconds) ms"
            case .failed(_, let reason, _): reason
            case .gone: "answered 410"
            }
        }

        var fields: [String: Any] {
            var fields: [String: Any] = ["delivered": isDelivered, "duration_ms": milliseconds]
            switch verdict {
            case .delivered(let status): fields["status"] = status
            case .failed(let status, let reason, _):
                fields["status"] = status
                fields["reason"] = reason
            case .gone: fields["status"] = 410
            }
            return fields
        }
    }

    private let url: TargetURL
    private let secret: WebhookSecret
    private let client: OutboundClient

    /// Anywhere: whoever calls the command has chosen the address.
    init(to text: String, secret: WebhookSecret) async throws {
        do throws(TargetURL.Failure) { url = try TargetURL(text) } catch { throw CommandError("--forward-to \(error.reason)") }
        self.secret = secret
        let everywhere = ["0.0.0.0/0", "::/0"].compactMap { AddressRange($0) }
        let rules = OutboundRules(allowsPrivate: true, allowsHTTP: true, allowed: everywhere)
        if let complaint = rules.complaint(about: url) { throw CommandError("--forward-to \(complaint)") }
        client = await OutboundClient(rules: rules, userAgent: "Leyden/" + Version.text)
    }

    func send(id: String, body: [UInt8]) async -> Outcome {
        let message = SignedMessage(id: id, at: UnixTime(milliseconds: Clock.wallMilliseconds), body: body)
        let request = OutboundRequest(url: url, fields: message.fields(signatures: [secret.sign(message.signedBytes)]), body: body)
        let start = Clock.monotonicNanoseconds
        let client = client
        let answer = await withCheckedContinuation { done in Self.send(request, by: client) { done.resume(returning: $0) } }
        return Outcome(answer: answer, milliseconds: Int64((Clock.monotonicNanoseconds - start) / 1_000_000))
    }

    private static func send(_ request: OutboundRequest, by client: OutboundClient, _ done: @escaping @Sendable (OutboundAnswer) -> Void) {
        Task { @LoopActor in client.send(request) { done($0) } }
    }
}
