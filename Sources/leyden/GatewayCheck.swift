internal import Foundation
internal import FoundationNetworking

/// What a running gateway says of itself at `/ready`, and whether `public_url` leads to a gateway.
enum GatewayCheck {
    static func findings(_ configuration: Configuration) async -> [Finding] {
        await readiness(configuration) + [await publicURL(configuration)]
    }

    private static func readiness(_ configuration: Configuration) async -> [Finding] {
        let address = "http://\(configuration.internalListen)/ready"
        guard let url = URL(string: address) else { return [] }
        var request = URLRequest(url: url)
        request.timeoutInterval = 3
        guard let (data, response) = try? await URLSession.shared.data(for: request) else {
            return [Finding(.warning, "gateway", "not running at \(configuration.internalListen)", remedy: "start it with `leyden run`")]
        }
        guard let body = JSONObject(data) else {
            return [Finding(.error, "gateway", "\(address) is answered by something else", remedy: "free the port or change internal_listen")]
        }
        let isReady = (response as? HTTPURLResponse)?.statusCode == 200
        let state = ["database", "leader", "lag"].compactMap { key in body.text(key).map { "\(key) \(Text.shown($0))" } }.joined(separator: ", ")
        var findings = [
            isReady ? Finding(.ok, "gateway", "ready") : Finding(.error, "gateway", "running, but not ready: \(state)", remedy: "see its log")
        ]
        for node in body.objects("nodes") {
            guard let reason = node.text("reason") else { continue }
            let name = Text.shown(node.text("name") ?? node.text("pubkey") ?? "?")
            let state = Text.shown(node.text("state") ?? "unknown")
            findings.append(Finding(
                .error, "node \(name)", "\(state): \(Text.shown(reason, limit: 200))", remedy: node.text("remedy").map { Text.shown($0, limit: 200) }))
        }
        return findings
    }

    /// From this machine, which is not everywhere: what does not lead to a gateway from here is no more than a warning.
    private static func publicURL(_ configuration: Configuration) async -> Finding {
        let subject = "public_url", remedy = "check its name in DNS and what the proxy in front does with \(configuration.listen)"
        guard let url = URL(string: configuration.publicURL + "/v1/info") else { return Finding(.error, subject, "is no URL", remedy: remedy) }
        var request = URLRequest(url: url)
        request.timeoutInterval = 5
        guard let (data, _) = try? await URLSession.shared.data(for: request) else {
            return Finding(.warning, subject, "\(configuration.publicURL) cannot be reached from here", remedy: remedy)
        }
        // Without a key every gateway refuses, in its own words.
        guard JSONObject(data)?.text("code") == "unauthorized" else {
            return Finding(.warning, subject, "\(configuration.publicURL) is answered by something else", remedy: remedy)
        }
        switch await WebSocketCheck.run(configuration.publicURL) {
        case .answered: return Finding(.ok, subject, "leads to a gateway, its WebSocket too")
        case .refused(let line) where line.contains(" 403"):
            return Finding(
                .warning, subject, "its WebSocket is not opened for pages of this address: \(Text.shown(line))",
                remedy: "start the gateway with the same public_url, or name this one in edge.allowed_origins")
        case .refused(let line):
            return Finding(.warning, subject, "its WebSocket is not opened: \(Text.shown(line))", remedy: webSocketRemedy)
        case .silent:
            return Finding(.warning, subject, "its WebSocket is opened, and no gateway answers there", remedy: webSocketRemedy)
        case .unreachable(let reason):
            return Finding(.warning, subject, "its WebSocket cannot be reached: \(Text.shown(reason))", remedy: webSocketRemedy)
        }
    }

    private static let webSocketRemedy = "let the proxy in front hand on Upgrade and Connection for /connection/websocket, as config/nginx.conf does"
}
