internal import Foundation
internal import FoundationNetworking

/// What a running gateway says of itself at `/ready`.
enum GatewayCheck {
    static func findings(_ configuration: Configuration) async -> [Finding] {
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
        var findings = [Finding(isReady ? .ok : .error, "gateway", isReady ? "ready" : "running, but not ready", remedy: isReady ? nil : "see its log")]
        for node in body.objects("nodes") where node.text("reason") != nil {
            let name = Text.shown(node.text("name") ?? node.text("pubkey") ?? "?")
            let state = Text.shown(node.text("state") ?? "unknown")
            findings.append(
                node.text("reason").map {
                    Finding(.error, "node \(name)", "\(state): \(Text.shown($0, limit: 200))", remedy: node.text("remedy").map { Text.shown($0, limit: 200) })
                } ?? Finding(.ok, "node \(name)", state))
        }
        return findings
    }
}
