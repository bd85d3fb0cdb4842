internal import ArgumentParser
internal import Foundation

/// `leyden payment`: money out of a running gateway.
struct PaymentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "payment", abstract: "Pays invoices, and shows what was paid.", subcommands: [Create.self, Show.self, List.self])

    private static let keys = [
        "id", "state", "failure", "amount_msat", "fee_msat", "fee_beyond_limit_msat", "payment_hash", "destination", "node_name", "attempts", "created_at", "preimage",
    ]

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Pays an invoice and prints what became of it.",
            discussion: "Exits with 0 if it was paid, with 1 if it has failed, and with 2 if that is not known yet: ask with `leyden payment show`, and do not pay again.")
        @Argument(help: "The invoice.") var paymentRequest: String
        @Option(help: "The most that may be paid in fees.") var feeLimitMsat: UInt64
        @Option(help: "The amount, for an invoice that names none.") var amountMsat: UInt64?
        @Option(help: "How long ways are looked for.") var timeoutSeconds: UInt32 = 60
        @Option(help: "The node that shall pay, by name or key.") var node: String?
        @OptionGroup var gateway: GatewayOptions

        func run() async throws {
            var body: [String: Any] = ["payment_request": paymentRequest, "fee_limit_msat": feeLimitMsat, "timeout_seconds": timeoutSeconds]
            if let amountMsat { body["amount_msat"] = amountMsat }
            if let node { body["node"] = node }
            let client = try gateway.client()
            var payment = try await client.call("POST", "/v1/payments", body: body)
            let path = "/v1/payments/" + (payment.text("id") ?? "")
            let end = ContinuousClock.now + .seconds(Int64(timeoutSeconds) + 10)
            while !["settled", "failed"].contains(payment.text("state") ?? ""), ContinuousClock.now < end {
                try await Task.sleep(for: .milliseconds(300))
                payment = try await client.call("GET", path)
            }
            PaymentCommand.show(payment, gateway)
            switch payment.text("state") {
            case "settled": return
            case "failed": throw ExitCode(1)
            default: throw ExitCode(2)
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Prints a payment.")
        @Argument(help: "Its id.") var id: String
        @OptionGroup var gateway: GatewayOptions

        func run() async throws {
            guard id.utf8.allSatisfy({ (48...57).contains($0) || (97...122).contains($0) || $0 == 95 }) else { throw CommandError("\(Text.shown(id)) is no id of a payment") }
            PaymentCommand.show(try await gateway.client().call("GET", "/v1/payments/" + id), gateway)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Prints payments, a line each, the oldest first.")
        @Option(help: "created, sending, unknown, settled or failed.") var state: String?
        @Option(help: "How many.") var limit: Int = 50
        @OptionGroup var gateway: GatewayOptions

        func run() async throws {
            var query = ["limit": String(limit)]
            if let state { query["state"] = state }
            let page = try await gateway.client().call("GET", "/v1/payments", query: query)
            for payment in page.objects("payments") {
                if gateway.json { Console.line(payment.line) } else {
                    Console.line(["created_at", "id", "state", "amount_msat", "fee_msat", "failure"].compactMap { payment.text($0).map { Text.shown($0, limit: 200) } }.joined(separator: "  "))
                }
            }
        }
    }

    private static func show(_ payment: JSONObject, _ gateway: GatewayOptions) {
        Console.line(gateway.json ? payment.line : keys.compactMap { key in payment.text(key).map { "\(key): \(Text.shown($0, limit: 200))" } }.joined(separator: "\n"))
    }
}

/// `leyden channels`: the nodes' channels.
struct Channels: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Prints the nodes' channels, a line each.")
    @OptionGroup var gateway: GatewayOptions

    func run() async throws {
        let answer = try await gateway.client().call("GET", "/v1/channels")
        if gateway.json { return Console.line(answer.line) }
        for channel in answer.objects("channels") {
            let parts = ["node_name", "chan_id", "peer_alias", "capacity_sat", "local_msat", "remote_msat"].compactMap { channel.text($0).map { Text.shown($0, limit: 100) } }
            Console.line((parts + [channel.flag("active") ? "active" : "inactive"]).joined(separator: "  "))
        }
    }
}

/// `leyden balance`: what the nodes and the account have.
struct Balance: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Prints what the nodes have, and what the account has received and spent.")
    @OptionGroup var gateway: GatewayOptions

    func run() async throws {
        let answer = try await gateway.client().call("GET", "/v1/balance")
        if gateway.json { return Console.line(answer.line) }
        let keys = ["onchain_confirmed_sat", "channel_local_msat", "channel_remote_msat"]
        for node in answer.objects("nodes") {
            Console.line(Text.shown(node.text("node_name") ?? "") + "  " + keys.compactMap { key in node.text(key).map { "\(key)=\($0)" } }.joined(separator: "  "))
        }
        if let account = answer.object("account") {
            Console.line("account  " + ["received_msat", "spent_msat", "reserved_msat", "available_msat"].compactMap { key in account.text(key).map { "\(key)=\($0)" } }.joined(separator: "  "))
        }
    }
}

/// `leyden decode`: what an invoice says.
struct DecodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "decode", abstract: "Prints what an invoice says.")
    @Argument(help: "The invoice.") var paymentRequest: String
    @OptionGroup var gateway: GatewayOptions

    func run() async throws {
        let invoice = try await gateway.client().call("POST", "/v1/decode", body: ["payment_request": paymentRequest])
        let keys = ["network", "amount_msat", "description", "description_hash", "payment_hash", "destination", "created_at", "expires_at"]
        Console.line(gateway.json ? invoice.line : keys.compactMap { key in invoice.text(key).map { "\(key): \(Text.shown($0, limit: 700))" } }.joined(separator: "\n"))
    }
}
