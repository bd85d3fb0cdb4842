import Edge
@testable import Gateway
import Payments
import Testing
import Wire

@Suite struct RouteTests {
    private static let hash = PaymentHash(Bytes32(repeatElement(0xab, count: 32))!)
    private static let key = PublicKey([2] + [UInt8](repeating: 0xcd, count: 32))!

    @Test("every route is found by its method and path", arguments: [
        (.post, "/v1/invoices", .createInvoice), (.get, "/v1/invoices", .listInvoices), (.get, "/v1/invoices/\(hash)", .invoice(hash)),
        (.get, "/v1/invoices/\(hash)/wait", .waitForInvoice(hash)), (.post, "/v1/invoices/\(hash)/settle", .settleInvoice(hash)),
        (.post, "/v1/invoices/\(hash)/cancel", .cancelInvoice(hash)), (.get, "/v1/events", .events), (.get, "/v1/nodes", .nodes),
        (.post, "/v1/nodes/\(key)/drain", .drainNode(key)), (.post, "/v1/nodes/\(key)/resume", .resumeNode(key)), (.get, "/v1/info", .info),
        (.get, "/v1/watch/abc", .watch(token: "abc", .invoice)), (.get, "/v1/watch/abc/qr.svg", .watch(token: "abc", .qrCode)),
    ] as [(HTTPRequest.Method, String, Route)])
    func found(_ method: HTTPRequest.Method, _ path: String, _ route: Route) {
        #expect(Route(method, path) == route)
        #expect(Route.isKnown(path))
        if method == .get { #expect(Route(.head, path) == route) }
    }

    @Test("another method at a known path is no route, but the path is known")
    func otherMethod() {
        for method in [HTTPRequest.Method.put, .patch, .delete, .options] {
            #expect(Route(method, "/v1/invoices") == nil)
            #expect(Route(method, "/v1/invoices/\(Self.hash)") == nil)
        }
        #expect(Route(.get, "/v1/invoices/\(Self.hash)/settle") == nil)
        #expect(Route.isKnown("/v1/invoices/\(Self.hash)/settle"))
        #expect(Route(.post, "/v1/info") == nil)
    }

    @Test("other paths are unknown", arguments: [
        "", "/", "/v1", "/v1/", "/v2/invoices", "v1/invoices", "/v1/invoices/", "/v1//invoices", "/v1/invoices/12", "/v1/invoices/12/settle",
        "/v1/invoices/\(hash)/", "/v1/invoices/\(hash)/refund", "/v1/invoices/\(hash)/wait/x", "/v1/nodes/\(key)", "/v1/nodes/\(key)/stop",
        "/v1/nodes/02/drain", "/v1/info/x", "/v1/watch", "/v1/watch/abc/qr.png", "/v1/watch/abc/", "/v1/events/1",
    ])
    func unknown(_ path: String) { #expect(!Route.isKnown(path)) }

    @Test("a key has to be allowed what a route does", arguments: [
        (.createInvoice, .invoicesWrite), (.listInvoices, .invoicesRead), (.invoice(hash), .invoicesRead),
        (.waitForInvoice(hash), .invoicesRead), (.settleInvoice(hash), .invoicesSettle), (.cancelInvoice(hash), .invoicesSettle),
        (.events, .eventsRead), (.nodes, .nodesRead), (.drainNode(key), .nodesWrite), (.resumeNode(key), .nodesWrite), (.info, nil),
    ] as [(Route, Scope?)])
    func scope(_ route: Route, _ scope: Scope?) { #expect(route.scope == scope) }
}
