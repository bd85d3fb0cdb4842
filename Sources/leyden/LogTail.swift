internal import Foundation

/// The log of a gateway, followed for ever: after a lost connection it goes on behind the last event that came.
struct LogTail {
    private let client: GatewayClient
    private let query: [String: String]
    /// Behind which event it begins.
    let start: String

    /// Begins with the next event, or behind an offset.
    init(_ client: GatewayClient, type: String?, after: UInt64?) async throws {
        self.client = client
        let info = try await client.call("GET", "/v1/info")
        start = after.map(String.init) ?? info.text("head") ?? "0"
        var query: [String: String] = [:]
        query["type"] = type
        // An offset means nothing in a log that was restored meanwhile.
        query["epoch"] = info.text("epoch")
        self.query = query
    }

    /// Ends only by an error that asking again does not change.
    func follow(_ happened: (ServerSentEvent) async throws -> Void) async throws {
        var last: String? = start
        while true {
            do {
                for try await event in try client.events("/v1/events", query: query, after: last) {
                    last = event.id ?? last
                    try await happened(event)
                }
            } catch let lost as StreamLost {
                Console.error("\(lost.name): \(lost.reason); trying again")
            }
            try await Task.sleep(for: .seconds(1))
        }
    }
}
