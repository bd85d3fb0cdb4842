internal import Edge
internal import Keys
internal import Ledger
internal import Loop
internal import Payments
internal import Wire

// Pages of invoices, and what is looked for in them.
extension GatewayAPI {
    /// The most terms of one search.
    private static let maximumTerms = 8
    private static let parameters: Set<String> = ["state", "after", "limit", "created_after", "created_before"]

    func listInvoices(_ exchange: Exchange, _ account: Int64) {
        let items = exchange.request.query.items
        let terms = items.compactMap { SearchTerm(parameter: $0.name, $0.value) }
        if let name = exchange.strangeParameter(known: { Self.parameters.contains($0) || SearchTerm(parameter: $0, "") != nil }) {
            return exchange.refuse(.strangeParameter(name))
        }
        guard let limit = exchange.number("limit", default: 50, in: 1...500) else { return exchange.refuse(.invalidQuery("limit")) }
        guard let cursor = exchange.cursor() else { return exchange.refuse(.invalidQuery("after")) }
        let state = exchange.request.query["state"]
        let wanted = state.flatMap(InvoiceState.init(rawValue:))
        guard state == nil || wanted != nil else { return exchange.refuse(.invalidQuery("state")) }
        guard let createdAfter = exchange.time("created_after") else { return exchange.refuse(.invalidQuery("created_after")) }
        guard let createdBefore = exchange.time("created_before") else { return exchange.refuse(.invalidQuery("created_before")) }
        guard terms.count <= Self.maximumTerms else { return exchange.refuse(.invalidQuery(terms[Self.maximumTerms].name)) }
        // An order has few invoices, a member of the metadata may stand in all of them.
        let rarestFirst = terms.filter { $0.name == "order_id" } + terms.filter { $0.name != "order_id" }
        let search = InvoiceSearch(
            account: account, state: wanted, terms: rarestFirst.map { $0.number(by: LibCrypto.self) }, createdAfter: createdAfter,
            createdBefore: createdBefore, after: cursor, limit: Int(limit))
        ledger.invoices(search) { [self] result in
            guard case .success(let page) = result else { return exchange.refuse(.unavailable) }
            var json = JSONWriter()
            json.object { json in
                json.array("invoices") { json in
                    for record in page.invoices where terms.allSatisfy({ $0.matches(record) }) { json.raw(encode(record)) }
                }
                json.field("next", page.next?.text)
            }
            exchange.respond(json.bytes)
        }
    }
}
