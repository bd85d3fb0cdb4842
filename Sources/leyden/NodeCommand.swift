internal import ArgumentParser

/// `leyden node`: the Lightning nodes of a running gateway.
struct NodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node", abstract: "Lists, drains and resumes Lightning nodes.", subcommands: [List.self, Drain.self, Resume.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Prints every node with its state and what to do about it.")
        @OptionGroup var gateway: GatewayOptions

        func run() async throws {
            let answer = try await gateway.client().call("GET", "/v1/nodes")
            if gateway.json { return Console.line(answer.line) }
            for node in answer.objects("nodes") {
                let parts = ["name", "pubkey", "state", "reason", "remedy"].compactMap { node.text($0).map { Text.shown($0, limit: 200) } }
                Console.line(parts.joined(separator: "  "))
            }
        }
    }

    struct Drain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lets a node take no new payments; what it holds is finished.")
        @Argument(help: "The node's name or pubkey.") var node: String
        @OptionGroup var gateway: GatewayOptions
        func run() async throws { try await NodeCommand.post("drain", to: node, gateway) }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lets a drained node take payments again.")
        @Argument(help: "The node's name or pubkey.") var node: String
        @OptionGroup var gateway: GatewayOptions
        func run() async throws { try await NodeCommand.post("resume", to: node, gateway) }
    }

    private static func post(_ order: String, to name: String, _ gateway: GatewayOptions) async throws {
        let client = try gateway.client()
        let nodes = try await client.call("GET", "/v1/nodes").objects("nodes")
        guard let pubkey = nodes.first(where: { $0.text("name") == name || $0.text("pubkey") == name })?.text("pubkey") else {
            throw CommandError("no node is called \(Text.shown(name)); `leyden node list` names them")
        }
        let answer = try await client.call("POST", "/v1/nodes/\(pubkey)/\(order)", body: [:])
        Console.line(gateway.json ? answer.line : "\(Text.shown(name)): \(answer.text("state") ?? order)")
    }
}
