import GRPC
import LNDProto
import Loop
import Payments
import Testing
import Wire

@testable import lnsim

@LoopActor
@Suite(.serialized) struct ControlRoutesTests {
    /// The answer to one request, which must come.
    private func ask(_ routes: ControlRoutes, _ method: String, _ path: String, _ body: String = "") async -> (Int, JSONValue) {
        await withCheckedContinuation { continuation in
            let request = HTTPRequest(method: method, path: path, body: Array(body.utf8), keepsAlive: true)
            routes.handle(request) { status, bytes in
                continuation.resume(returning: (status, (try? JSONReader.read(bytes)) ?? .null))
            }
        }
    }

    @Test("an invoice is paid over the control interface, and the answer names preimage and parts")
    func pay() async throws {
        try await withNetwork(2) { network in
            let routes = ControlRoutes(network)
            let gateway = MiniGateway()
            let (client, metadata) = try connect(to: network.nodes[0])
            gateway.intercept(client, metadata) { $0.settle($1) }
            try #require(await eventually { network.nodes[0].isIntercepted })
            let invoice = try gateway.invoice(3_000, through: network.nodes)
            let (status, answer) = await ask(routes, "POST", "/pay", #"{"payment_request":"\#(invoice)"}"#)
            #expect(status == 200)
            #expect(answer["status"]?.text == "succeeded")
            #expect(answer["preimage"]?.text == gateway.preimage.hex)
            #expect(answer["parts"]?.items?.first?["state"]?.text == "settled")
            let id = answer["id"]?.whole ?? 0
            #expect(await ask(routes, "GET", "/payments/\(id)").1["status"]?.text == "succeeded")
            let state = await ask(routes, "GET", "/state").1
            #expect(state["payments"]?["succeeded"]?.whole == 1)
            #expect(state["nodes"]?.items?[0]["interceptor"]?.text == "connected")
            client.close()
        }
    }

    @Test("what a payer does wrong on purpose reaches the interceptor as it is")
    func tamper() async throws {
        let fields = [
            #""payment_secret":"\#(String(repeating: "11", count: 32))""#, #""total_msat":1"#, #""payload_amount_msat":1"#,
            #""payload_cltv":5"#, #""incoming_amount_msat":1"#, #""incoming_expiry":800100"#, #""outgoing_amount_msat":7"#,
            #""outgoing_expiry":9"#, #""scid":"12345""#, #""onion":"garbage""#, #""onion":"wrong_version""#,
            #""onion":"wrong_hmac""#, #""onion":"wrong_key""#, #""onion":"malformed_payload""#, #""onion":"short""#,
            #""onion":"no_payment_data""#, #""onion":"unknown_even_type""#, #""payload":"0201050401ff""#,
            #""payment_hash":"\#(String(repeating: "22", count: 32))""#,
        ]
        try await withNetwork { network in
            let routes = ControlRoutes(network)
            let gateway = MiniGateway()
            let (client, metadata) = try connect(to: network.nodes[0])
            gateway.intercept(client, metadata) { $0.resume($1) }
            try #require(await eventually { network.nodes[0].isIntercepted })
            let invoice = try gateway.invoice(3_000, through: network.nodes)
            for (index, field) in fields.enumerated() {
                let (status, answer) = await ask(routes, "POST", "/pay", #"{"payment_request":"\#(invoice)",\#(field)}"#)
                #expect(status == 200)
                #expect(gateway.offers.count == index + 1)
                #expect(answer["parts"]?.items?.first?["failure"]?["name"]?.text == "unknown_next_peer", "\(field)")
            }
            client.close()
        }
    }

    @Test("bad input is a 400 with an error, never a trap")
    func badInput() async throws {
        let requests = [
            ("/pay", "{"), ("/pay", "[]"), ("/pay", "{}"), ("/pay", #"{"payment_request":"lnbc1"}"#), ("/pay", #"{"x":1}"#),
            ("/pay", #"{"payment_request":5}"#), ("/blocks", #"{"count":-1}"#), ("/blocks", #"{"count":10001}"#),
            ("/blocks", #"{"height":0}"#), ("/blocks", #"{"height":4294967295}"#), ("/blocks", #"{"count":1.5}"#),
            ("/onchain", #"{"node":0,"htlc_id":1}"#), ("/onchain", #"{"node":9,"chan_id":1,"htlc_id":1}"#),
            ("/delay", #"{"node":7,"final_ms":1}"#), ("/delay", #"{"final_ms":99999999999}"#), ("/fire", #"{"rate":-1}"#),
            ("/fire", #"{"in_flight":0}"#), ("/prepare", "{}"), ("/prepare", #"{"payment_requests":[1]}"#),
            ("/prepare", #"{"payment_requests":["x"],"split":[]}"#), ("/prepare", #"{"payment_requests":["x"]}"#),
            ("/fault/ghost", "{}"), ("/node", #"{"version":1}"#), ("/fault/replay", #"{"node":"zero"}"#),
            ("/foreign", #"{"node":0,"amount_msat":99999999999999999999}"#),
        ]
        try await withNetwork { network in
            let routes = ControlRoutes(network)
            for (path, body) in requests {
                let (status, answer) = await ask(routes, "POST", path, body)
                #expect(status == 400, "\(path) \(body)")
                #expect(answer["error"]?.text == "invalid_request")
            }
        }
    }

    @Test("what cannot happen now is a 409, what there is not a 404")
    func impossible() async throws {
        try await withNetwork { network in
            let routes = ControlRoutes(network)
            #expect(await ask(routes, "POST", "/onchain", #"{"node":0,"chan_id":"1","htlc_id":2}"#).0 == 409)
            #expect(await ask(routes, "POST", "/autofail", #"{"node":0}"#).0 == 409)
            #expect(await ask(routes, "POST", "/fire", #"{"count":1}"#).0 == 409)
            #expect(await ask(routes, "POST", "/nothing").0 == 404)
            #expect(await ask(routes, "GET", "/payments/1").0 == 404)
            #expect(await ask(routes, "GET", "/").0 == 200)
        }
    }

    @Test("a pending payment is answered when the time is over")
    func pending() async throws {
        try await withNetwork { network in
            let routes = ControlRoutes(network)
            let gateway = MiniGateway()
            let (client, metadata) = try connect(to: network.nodes[0])
            gateway.intercept(client, metadata) { _, _ in }
            try #require(await eventually { network.nodes[0].isIntercepted })
            let invoice = try gateway.invoice(3_000, through: network.nodes)
            let body = #"{"payment_request":"\#(invoice)","timeout_ms":50}"#
            #expect(await ask(routes, "POST", "/pay", body).1["status"]?.text == "pending")
            let held = await ask(routes, "GET", "/state").1["nodes"]?.items?[0]["held"]?.items?.first
            let key = #"{"node":0,"chan_id":"\#(held?["chan_id"]?.text ?? "")","htlc_id":\#(held?["htlc_id"]?.text ?? "")}"#
            #expect(await ask(routes, "POST", "/onchain", key).0 == 200)
            try #require(await eventually { gateway.offers.count == 2 })
            #expect(gateway.offers[1].autoFailHeight == Int32(gateway.offers[0].incomingExpiry))
            #expect(gateway.offers[1].onionBlob == gateway.offers[0].onionBlob)
            client.close()
        }
    }

    @Test("a foreign HTLC that is resumed is forwarded")
    func foreign() async throws {
        try await withNetwork { network in
            let gateway = MiniGateway()
            let (client, metadata) = try connect(to: network.nodes[0])
            gateway.intercept(client, metadata) { $0.resume($1) }
            try #require(await eventually { network.nodes[0].isIntercepted })
            let answer = await ask(ControlRoutes(network), "POST", "/foreign", #"{"node":0}"#).1
            #expect(answer["parts"]?.items?.first?["state"]?.text == "forwarded")
            client.close()
        }
    }
}
