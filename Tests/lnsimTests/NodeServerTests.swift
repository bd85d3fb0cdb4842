import Bolt
import FoundationEssentials
import GRPC
import LNDProto
import Loop
import Payments
import SwiftProtobuf
import Testing

@testable import lnsim

@LoopActor
@Suite(.serialized) struct NodeServerTests {
    @Test("an invoice is paid with a real onion, told of and looked up")
    func paid() async throws {
        try await withNetwork { network in
            let gateway = MiniGateway()
            let (client, metadata) = try connect(to: network.nodes[0])
            var events: [Routerrpc_HtlcEvent] = []
            let call = client.call("/routerrpc.Router/SubscribeHtlcEvents", metadata: metadata) {
                events.append(try! Routerrpc_HtlcEvent(serializedBytes: $0))
            } onEnd: { _, _ in
            }
            call.send([])
            call.halfClose()
            gateway.intercept(client, metadata) { $0.settle($1) }
            try #require(await eventually { events.count == 1 && network.nodes[0].isIntercepted })

            let invoice = try PayableInvoice(gateway.invoice(500_000, through: network.nodes))
            var over: Payment?
            let parts = [Payer.PartRequest(node: 0)]
            _ = try network.payer.pay(invoice, parts, total: nil, height: network.height) { over = $0 }
            try #require(await eventually { over != nil && events.count == 3 })
            #expect(over?.status == .succeeded)
            #expect(over?.preimage == Preimage(gateway.preimage))

            let offer = gateway.offers[0]
            #expect(offer.outgoingAmountMsat == 500_000)
            #expect(offer.incomingAmountMsat == 501_005)
            #expect(offer.outgoingExpiry == network.height + 83)
            #expect(offer.incomingExpiry == network.height + 123)
            #expect(offer.autoFailHeight == Int32(network.height) + 104)
            #expect(offer.outgoingRequestedChanID == MiniGateway.virtualChannel)
            let payload = try gateway.payload(of: 0)
            #expect(payload.amount == Millisatoshis(500_000))
            #expect(payload.paymentData?.total == Millisatoshis(500_000))
            #expect(payload.paymentData?.secret.bytes == invoice.paymentSecret)

            #expect(events[0].subscribedEvent == .init())
            #expect([UInt8](events[1].settleEvent.preimage) == gateway.preimage.array)
            #expect(events[2].finalHtlcEvent == .with { $0.settled = true; $0.offchain = true })
            let lookup = Lnrpc_LookupHtlcResolutionRequest.with {
                $0.chanID = offer.incomingCircuitKey.chanID
                $0.htlcIndex = offer.incomingCircuitKey.htlcID
            }
            let path = "/lnrpc.Lightning/LookupHtlcResolution"
            let found = await client.unary(path, metadata, try lookup.serializedBytes()).map { $0.count }
            #expect(found == .success(4))
            let unknown = await client.unary(path, metadata)
            #expect(unknown == .failure(GRPCStatus(.notFound, "htlc unknown")))
            client.close()
        }
    }

    @Test("a failure of the virtual node is readable by the payer alone, parts of two nodes end together")
    func failed() async throws {
        try await withNetwork(2) { network in
            let gateways = [MiniGateway(), MiniGateway()]
            let failure = FailureMessage.incorrectOrUnknownPaymentDetails(amount: Millisatoshis(5), height: 77)
            for (node, gateway) in zip(network.nodes, gateways) {
                let (client, metadata) = try connect(to: node)
                gateway.intercept(client, metadata) { try? $0.fail($1, failure) }
            }
            try #require(await eventually { network.nodes.allSatisfy(\.isIntercepted) })
            let invoice = try PayableInvoice(gateways[0].invoice(10_000, through: network.nodes))
            var over: Payment?
            let parts = [Payer.PartRequest(node: 0, amount: Millisatoshis(4_000)), Payer.PartRequest(node: 1)]
            _ = try network.payer.pay(invoice, parts, total: nil, height: network.height) { over = $0 }
            try #require(await eventually { over != nil })
            #expect(over?.status == .failed)
            guard let payment = over, case .failed(let first) = payment.parts[0].state,
                case .failed(let second) = payment.parts[1].state
            else { return }
            #expect(first.name == "incorrect_or_unknown_payment_details")
            #expect(first.origin == .virtualNode)
            #expect(first.data.map(\.value) == [5, 77])
            // The second gateway has another key, so its packet is noise to the payer.
            #expect(second.origin == .unreadable)
        }
    }

    @Test("calls without the right macaroon are UNKNOWN with LND's words; the state needs none")
    func macaroons() async throws {
        try await withNetwork { network in
            let (client, metadata) = try connect(to: network.nodes[0])
            let path = "/lnrpc.Lightning/GetInfo"
            #expect(await client.unary(path, Metadata()) == .failure(GRPCStatus(.unknown, "expected 1 macaroon, got 0")))
            let wrong = await client.unary(path, Metadata([("macaroon", "0201")]))
            let text = "verification failed: signature mismatch after caveat verification"
            #expect(wrong == .failure(GRPCStatus(.unknown, text)))
            let info = try Lnrpc_GetInfoResponse(serializedBytes: await client.unary(path, metadata).get())
            #expect(info.identityPubkey == network.nodes[0].publicKey.hex)
            #expect(info.requireHtlcInterceptor && info.storeFinalHtlcResolutions)
            let state = await client.unary("/lnrpc.State/GetState", Metadata())
            #expect(state == .success([8, 4]))
            network.nodes[0].change { $0.walletState = 1 }
            let locked = await client.unary(path, metadata)
            let words = "wallet locked, unlock it to enable full RPC access"
            #expect(locked == .failure(GRPCStatus(.unknown, words)))
            client.close()
        }
    }

    @Test("a wrong answer ends the stream; the HTLC is replayed byte for byte and can still be settled")
    func replay() async throws {
        try await withNetwork { network in
            let gateway = MiniGateway()
            let (client, metadata) = try connect(to: network.nodes[0])
            gateway.intercept(client, metadata) { $0.reply($1) { $0.action = .settle } }
            try #require(await eventually { network.nodes[0].isIntercepted })
            let invoice = try PayableInvoice(gateway.invoice(1_000, through: network.nodes))
            var over: Payment?
            let parts = [Payer.PartRequest(node: 0)]
            _ = try network.payer.pay(invoice, parts, total: nil, height: network.height) { over = $0 }
            try #require(await eventually { gateway.status != nil })
            #expect(gateway.status == GRPCStatus(.unknown, "missing preimage"))
            gateway.intercept(client, metadata) { $0.settle($1) }
            try #require(await eventually { over != nil })
            #expect(over?.status == .succeeded)
            #expect(gateway.offers.count == 2 && gateway.offers[0] == gateway.offers[1])
            client.close()
        }
    }

    @Test("a restart keeps key, certificate, port and what was held")
    func restart() async throws {
        try await withNetwork { network in
            let gateway = MiniGateway()
            let node = network.nodes[0]
            let (client, metadata) = try connect(to: node)
            gateway.intercept(client, metadata) { _, _ in }
            try #require(await eventually { node.isIntercepted })
            let invoice = try PayableInvoice(gateway.invoice(1_000, through: network.nodes))
            var over: Payment?
            let parts = [Payer.PartRequest(node: 0)]
            _ = try network.payer.pay(invoice, parts, total: nil, height: network.height) { over = $0 }
            try #require(await eventually { gateway.offers.count == 1 })
            let port = node.port
            node.stop()
            try #require(await eventually { gateway.status != nil })
            try node.start()
            #expect(node.port == port)
            let (again, _) = try connect(to: node)
            gateway.intercept(again, metadata) { $0.settle($1) }
            try #require(await eventually { over?.status == .succeeded })
            again.close()
        }
    }

    @Test("blocks are told: the tip at once, each new one, and the lower tip of a reorganisation")
    func blocks() async throws {
        try await withNetwork { network in
            let (client, metadata) = try connect(to: network.nodes[0])
            var heights: [UInt32] = []
            let call = client.call("/chainrpc.ChainNotifier/RegisterBlockEpochNtfn", metadata: metadata) {
                heights.append(try! Chainrpc_BlockEpoch(serializedBytes: $0).height)
            } onEnd: { _, _ in
            }
            call.send([])
            call.halfClose()
            let first = network.height
            try #require(await eventually { heights == [first] })
            network.mine(2)
            network.move(to: first)
            try #require(await eventually { heights == [first, first + 1, first + 2, first] })
            client.close()
        }
    }

    @Test("prepared payments are fired and their latencies told")
    func volley() async throws {
        try await withNetwork { network in
            let gateways = (0..<50).map { _ in MiniGateway() }
            let (client, metadata) = try connect(to: network.nodes[0])
            let byHash = Dictionary(uniqueKeysWithValues: gateways.map { ($0.paymentHash.bytes.array, $0) })
            let interceptor = gateways[0]
            interceptor.intercept(client, metadata) { first, offer in
                let owner = byHash[[UInt8](first.offers[offer].paymentHash)]
                first.reply(offer) { $0.preimage = .init(owner?.preimage.array ?? []) }
            }
            try #require(await eventually { network.nodes[0].isIntercepted })
            let requests = try gateways.map { try $0.invoice(2_000, through: network.nodes) }
            let count = try await network.magazine.load(requests, split: [0, 0], nodes: 1, height: network.height)
            #expect(count == 50)
            #expect(network.magazine.take(51) == nil)
            var report: Volley.Report?
            let plan = Volley.Plan(rate: 0, inFlight: 8, count: 50, timeoutMilliseconds: 10_000)
            let volley = Volley(plan, network.magazine.take(50)!, payer: network.payer) { report = $0 }
            volley.start()
            try #require(await eventually { report != nil })
            #expect(report?.succeeded == 50 && report?.failed == 0 && report?.latencies.count == 50)
            client.close()
        }
    }
}
