import Bolt
import Keys
import Loop
import Payments
import TestSupport
import Testing
import Wire

@testable import Gateway

@Suite("Routes of payments")
@LoopActor
struct PaymentRoutesTests {
    @Test("a payment is made once for one Idempotency-Key, and its hash once for ever")
    func once() async throws {
        try await TestGateway.run { test in
            let text = try invoice(1)
            let body = #"{"payment_request":"\#(text)","fee_limit_msat":10}"#
            let first = await test.ask("POST", "/v1/payments", body, fields: ["Idempotency-Key": "a"])
            #expect(first.status == 201)
            let id = try #require(try first.json["id"]?.text)
            let again = await test.ask("POST", "/v1/payments", body, fields: ["Idempotency-Key": "a"])
            #expect(again.status == 201 && again.body == first.body)
            let other = await test.ask("POST", "/v1/payments", body)
            #expect(other.status == 409 && other.problem == "payment_exists")
            // Who has not heard the answer finds his payment, and is not told to pay another invoice.
            #expect(try other.json["detail"]?.text?.contains(id) == true && other.json["detail"]?.text?.contains("ask the payee") == false)
            let shown = await test.ask("GET", "/v1/payments/\(id)")
            #expect(try shown.json["amount_msat"]?.whole == 21_000)
            let page = await test.ask("GET", "/v1/payments?limit=1")
            #expect(try page.json["payments"]?.items?.count == 1)
            let balance = await test.ask("GET", "/v1/balance")
            #expect(balance.status == 200)
        }
    }

    @Test("a request that is repeated after its invoice has expired is answered with the payment that it made")
    func repeatedLate() async throws {
        try await TestGateway.run { test in
            let body = #"{"payment_request":"\#(try invoice(1, expiry: 2))","fee_limit_msat":10}"#
            let first = await test.ask("POST", "/v1/payments", body, fields: ["Idempotency-Key": "a"])
            #expect(first.status == 201)
            // As it was before the answer was stored, and the minute over.
            TestServer.sql("UPDATE claims SET status = NULL, answer = NULL, claimed_until = now() - interval '1 second'", in: test.database)
            try await Task.sleep(for: .seconds(3.1))
            let again = await test.ask("POST", "/v1/payments", body, fields: ["Idempotency-Key": "a"])
            #expect(again.status == 201)
            #expect(try again.json["id"]?.text == first.json["id"]?.text)
        }
    }

    @Test("what cannot be paid is refused, and nothing is written", arguments: [
        (#"{"fee_limit_msat":10}"#, 422, "payment_request"), (#"{"payment_request":"lnbcrt1","fee_limit_msat":10}"#, 422, "payment_request"),
        (#"{"payment_request":"$I","fee_limit_msat":-1}"#, 422, "fee_limit_msat"), (#"{"payment_request":"$I","fee_limit_msat":1.5}"#, 422, "fee_limit_msat"),
        (#"{"payment_request":"$I","fee_limit_msat":9223372036854775808}"#, 422, "fee_limit_msat"),
        (#"{"payment_request":"$I","fee_limit_msat":1e400}"#, 400, nil), (#"{"payment_request":"$I"}"#, 422, "fee_limit_msat"),
        (#"{"payment_request":"$I","fee_limit_msat":"１０"}"#, 422, "fee_limit_msat"), (#"{"payment_request":"$I","fee_limit_msat":NaN}"#, 400, nil),
        (#"{"payment_request":"$I","fee_limit_msat":1,"amount_msat":21001}"#, 422, "amount_msat"),
        (#"{"payment_request":"$O","fee_limit_msat":1}"#, 422, "amount_msat"), (#"{"payment_request":"$X","fee_limit_msat":1}"#, 422, "payment_request"),
        (#"{"payment_request":"$M","fee_limit_msat":1}"#, 422, "payment_request"), (#"{"payment_request":"$V","fee_limit_msat":1}"#, 409, "payment_request"),
        (#"{"payment_request":"$I","fee_limit_msat":1,"node":"nobody"}"#, 422, "node"),
        (#"{"payment_request":"$I","fee_limit_msat":1,"custom_records":{"1":"00"}}"#, 422, "custom_records"),
        (#"{"destination":"02aa","amount_msat":1,"fee_limit_msat":1}"#, 422, "destination"),
        (#"{"destination":"0379be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798","amount_msat":1,"fee_limit_msat":1}"#, 400, "Idempotency-Key"),
    ] as [(String, Int, String?)])
    func refused(body: String, status: Int, field: String?) async throws {
        try await TestGateway.run { test in
            let body = body.replacing("$I", with: try invoice(1)).replacing("$O", with: try invoice(2, amount: nil))
                .replacing("$X", with: try invoice(3, expiry: 1, at: UnixTime(seconds: 1_600_000_000)))
                .replacing("$M", with: try invoice(4, network: .mainnet)).replacing("$V", with: try invoice(5, isOwn: true))
            let answer = await test.ask("POST", "/v1/payments", body)
            #expect(answer.status == status, "\(answer.body)")
            #expect(answer.field == field)
            #expect(TestServer.sql("SELECT count(*) FROM payouts", in: test.database) == "0")
        }
    }

    @Test("an account sees its own, spends what it has, and the nodes are the operator's")
    func accounts() async throws {
        try await TestGateway.run { test in
            let account = await test.makeAccount()
            let tenant = await test.makeKey([.admin, .paymentsWrite, .nodesRead], account: account)
            let own = await test.ask("POST", "/v1/payments", #"{"payment_request":"\#(try invoice(1))","fee_limit_msat":10}"#)
            let id = try #require(try own.json["id"]?.text)
            #expect(await test.ask("GET", "/v1/payments/\(id)", key: tenant).status == 404)
            let poor = await test.ask("POST", "/v1/payments", #"{"payment_request":"\#(try invoice(2))","fee_limit_msat":10}"#, key: tenant)
            #expect(poor.status == 409 && poor.problem == "balance_too_low")
            for path in ["/v1/channels", "/v1/peers", "/v1/node-invoices"] { #expect(await test.ask("GET", path, key: tenant).status == 403) }
            let reader = await test.makeKey([.invoicesRead])
            #expect(await test.ask("POST", "/v1/payments", "{}", key: reader).status == 403)
        }
    }

    @Test("an invoice is read for whoever asks")
    func decode() async throws {
        try await TestGateway.run { test in
            let answer = await test.ask("POST", "/v1/decode", #"{"payment_request":"\#(try invoice(1))"}"#)
            #expect(answer.status == 200)
            #expect(try answer.json["amount_msat"]?.whole == 21_000)
            #expect(try answer.json["own"]?.flag == false)
            #expect(await test.ask("POST", "/v1/decode", #"{"payment_request":"x"}"#).field == "payment_request")
        }
    }

    private func invoice(
        _ number: UInt8, amount: UInt64? = 21_000, expiry: UInt64 = 3600, network: Network = .regtest, isOwn: Bool = false, at time: UnixTime? = nil
    ) throws -> String {
        let draft = Bolt11Draft(
            network: network, amount: amount.map { Millisatoshis($0) }, timestamp: time ?? UnixTime(milliseconds: Clock.wallMilliseconds),
            paymentHash: PaymentHash(Bytes32(filledBy: { $0[0] = number; $0[1] = 77 })), paymentSecret: PaymentSecret(Bytes32(filledBy: { $0[0] = 9 })),
            description: .text("Tea"), expiry: expiry, minFinalCLTVExpiry: 80)
        let other = try #require(IdentityKey(Bytes32(filledBy: { $0[31] = 42 })))
        return try draft.encode(by: LibCrypto.self) { isOwn ? PaidInvoice.identity.sign(digest: $0) : other.sign(digest: $0) }
    }
}
