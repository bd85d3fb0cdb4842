internal import ArgumentParser
internal import Foundation

/// `leyden invoice`: invoices of a running gateway.
struct Invoice: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Creates, shows, watches and exports invoices.", subcommands: [Create.self, Show.self, Watch.self, Export.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Creates an invoice and prints its payment request.")
        @Option(help: "The amount; the payer chooses if it is not given.") var amountMsat: UInt64?
        @Option(help: "What it is for.") var description: String?
        @Option(help: "Seconds until it expires.") var expirySeconds: UInt32?
        @Option(help: "auto or hold.") var settlement: String?
        @Option(help: "A JSON object that stays with the invoice.") var metadata: String?
        @Option(help: "Your own name for what is paid.") var orderID: String?
        @Flag(help: "Store nothing until it is paid.") var stateless = false
        @OptionGroup var gateway: GatewayOptions

        func run() async throws {
            var body: [String: Any] = [:]
            if let amountMsat { body["amount_msat"] = amountMsat }
            if let description { body["description"] = description }
            if let expirySeconds { body["expiry_seconds"] = expirySeconds }
            if let settlement { body["settlement"] = settlement }
            if let metadata {
                guard let object = try? JSONSerialization.jsonObject(with: Data(metadata.utf8)) as? [String: Any] else {
                    throw CommandError("--metadata is no JSON object")
                }
                body["metadata"] = object
            }
            if let orderID { body["order_id"] = orderID }
            if stateless { body["stateless"] = true }
            let invoice = try await gateway.client().call("POST", "/v1/invoices", body: body)
            Console.line(gateway.json ? invoice.line : Invoice.lines(invoice, ["payment_request", "payment_hash", "checkout_url", "expires_at"]))
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Prints what is known of an invoice.")
        @Argument(help: "The payment hash, 64 hex digits.") var paymentHash: String
        @OptionGroup var gateway: GatewayOptions

        func run() async throws {
            let invoice = try await gateway.client().call("GET", "/v1/invoices/" + Invoice.checked(paymentHash))
            let keys = ["payment_hash", "order_id", "state", "amount_msat", "received_msat", "overpaid_msat", "description", "settlement", "created_at", "expires_at", "set_id",
                        "settled_at", "payment_request", "checkout_url"]
            Console.line(gateway.json ? invoice.line : Invoice.lines(invoice, keys))
        }
    }

    struct Watch: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints an invoice's events until it is settled (exit 0) or can no longer be (exit 1).")
        @Argument(help: "The payment hash, 64 hex digits.") var paymentHash: String
        @OptionGroup var gateway: GatewayOptions

        func run() async throws {
            let client = try gateway.client()
            let path = "/v1/invoices/" + (try Invoice.checked(paymentHash))
            var shown: String?
            var last: String?
            while true {
                // Events only wake: what counts is the invoice, so a lost stream loses nothing.
                let (token, isOver) = try await look(client, path, &shown)
                if isOver { return }
                do {
                    for try await event in try client.events("/v1/watch/" + token, after: last) {
                        last = event.id ?? last
                        if try await look(client, path, &shown).isOver { return }
                    }
                } catch let lost as StreamLost {
                    Console.error("\(lost.name): \(lost.reason); trying again")
                }
                try await Task.sleep(for: .seconds(1))
            }
        }

        /// Prints the invoice if its state is another than the one that was shown.
        private func look(_ client: GatewayClient, _ path: String, _ shown: inout String?) async throws -> (token: String, isOver: Bool) {
            let invoice = try await client.call("GET", path)
            let state = invoice.text("state") ?? ""
            if state != shown { Console.line(gateway.json ? invoice.line : Invoice.lines(invoice, ["state", "received_msat", "settled_at"])) }
            shown = state
            if ["canceled", "expired", "failed"].contains(state) { throw ExitCode(1) }
            return (invoice.text("watch_token") ?? "", state == "settled")
        }
    }

    fileprivate static func checked(_ paymentHash: String) throws -> String {
        let hash = paymentHash.lowercased()
        guard hash.utf8.count == 64, hash.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }) else {
            throw CommandError("\(Text.shown(paymentHash)): a payment hash has 64 hex digits")
        }
        return hash
    }

    fileprivate static func lines(_ invoice: JSONObject, _ keys: [String]) -> String {
        keys.compactMap { key in invoice.text(key).map { "\(key): \(Text.shown($0, limit: 4096))" } }.joined(separator: "\n")
    }
}
