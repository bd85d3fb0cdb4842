import Edge
@testable import Gateway
import Keys
import Ledger
import Loop
import Payments
import TestSupport
import Testing
import Wire

/// One door: whatever the way somebody comes in, the same keys are let in and the same refused.
@LoopActor
@Suite(.serialized) struct AdmissionTests {
    private func id(_ key: String) -> String { String(key.dropFirst(4).prefix(16)) }

    private func admission(_ test: TestGateway, _ token: String, for scope: Scope?) async -> Admission {
        await withCheckedContinuation { done in test.api.admit(token, for: scope) { done.resume(returning: $0) } }
    }

    private func authentication(_ test: TestGateway, _ token: String) async -> ClientSession.Authentication {
        await withCheckedContinuation { done in test.api.authenticate(token) { done.resume(returning: $0) } }
    }

    private func call(_ test: TestGateway, _ method: RemoteMethod, _ hash: PaymentHash, by credentials: Credentials) async -> Result<[UInt8], CentrifugeError> {
        let command = ClientCommand.decode(Array(#"{"id":1,"rpc":{"method":"\#(method.rawValue)","data":{"payment_hash":"\#(hash)"}}}"#.utf8))
        guard case .rpc(_, let decision?)? = command?.first?.method else { return .failure(.badRequest) }
        return await withCheckedContinuation { done in test.api.call(method, decision, by: credentials) { done.resume(returning: $0) } }
    }

    @Test("a good, a revoked, an expired, a foreign-scope and an unknown key are told apart alike by every transport")
    func everyTransport() async throws {
        try await TestGateway.run { test in
            let good = await test.makeKey([.eventsRead]), revoked = await test.makeKey([.eventsRead]), other = await test.makeKey([.nodesRead])
            let expired = await test.makeKey([.eventsRead], expiresIn: -1_000)
            _ = await test.ask("DELETE", "/v1/keys/\(id(revoked))")
            for (key, problem) in [(good, nil), (revoked, .unauthorized), (expired, .expired), (other, .forbidden), (good + "0", .unauthorized)] as [(String, Problem?)] {
                // For gRPC.
                switch await admission(test, key, for: .eventsRead) {
                case .admitted: #expect(problem == nil)
                case .refused(let refusal, _, _): #expect(refusal == problem)
                }
                let page = await test.ask("GET", "/v1/events?limit=1", key: key)
                #expect(page.status == problem?.status ?? 200 && page.problem == problem?.code)
                if problem != nil {
                    let stream = await test.ask("GET", "/v1/events", key: key, fields: ["Accept": "text/event-stream"])
                    #expect(stream.status == problem?.status && stream.problem == problem?.code)
                }
                switch await authentication(test, key) {
                case .known(let credentials): #expect(Channel.events.admits(credentials) == (problem == nil))
                case .expired: #expect(problem == .expired)
                case .unknown: #expect(problem == .unauthorized)
                case .unavailable: Issue.record("the store is there")
                }
            }
        }
    }

    @Test("streams and waiting requests end within seconds when their key is revoked, and others go on")
    func revokedStreams() async throws {
        try await TestGateway.run { test in
            let key = await test.makeKey([.eventsRead, .invoicesRead]), other = await test.makeKey([.eventsRead])
            let invoice = try await test.create()
            let stream = test.begin("/v1/events", key: key, fields: ["Accept": "text/event-stream"])
            let poll = test.begin("/v1/events?after=1&wait=60", key: key)
            let wait = test.begin("/v1/invoices/\(invoice["payment_hash"]?.text ?? "")/wait?timeout=60", key: key)
            let stays = test.begin("/v1/events", key: other, fields: ["Accept": "text/event-stream"])
            #expect(await eventually { test.api.streams.count == 4 })
            // As another process or the command line does it.
            TestServer.sql("UPDATE api_keys SET revoked_at = now() WHERE id = '\(id(key))'", in: test.database)
            #expect(await eventually { stream.isClosed && poll.isClosed && wait.isClosed })
            #expect(await poll.answer().status == 401)
            #expect(await wait.answer().status == 401)
            #expect(!stays.isClosed && test.api.streams.count == 1)
            #expect(await test.ask("GET", "/v1/events", key: key).status == 401)
        }
    }

    @Test("who is connected learns that the key was revoked, has expired or was replaced")
    func standing() async throws {
        try await TestGateway.run { test in
            let revoked = await test.makeKey([.eventsRead]), expiring = await test.makeKey([.eventsRead], expiresIn: 500)
            let replaced = await test.makeKey([.eventsRead])
            var credentials: [Credentials] = []
            for key in [revoked, expiring, replaced] {
                guard case .known(let known) = await authentication(test, key) else { Issue.record("not let in"); return }
                #expect(test.api.standing(of: known) == .valid)
                credentials.append(known)
            }
            TestServer.sql("UPDATE api_keys SET revoked_at = now() WHERE id = '\(id(revoked))'", in: test.database)
            _ = await test.ask("POST", "/v1/keys/\(id(replaced))/rotate", "{}")
            #expect(await eventually { credentials.map { test.api.standing(of: $0) } == [.revoked, .expired, .expired] })
        }
    }

    @Test("what a key settles or cancels over the WebSocket is limited and logged as over REST")
    func remoteCalls() async throws {
        try await TestGateway.run { test in
            let key = await test.makeKey([.invoicesSettle], limits: KeyLimits(rate: 2))
            let account = await test.makeAccount()
            let foreign = await test.makeKey([.admin], account: account)
            let invoice = try await test.create()
            let hash = try #require(invoice["payment_hash"]?.text.flatMap { PaymentHash(hex: $0) })
            guard case .known(let caller) = await authentication(test, key), case .known(let stranger) = await authentication(test, foreign) else {
                Issue.record("not let in"); return
            }
            #expect(await call(test, .cancel, hash, by: stranger) == .failure(CentrifugeError(code: 404, message: "unknown_invoice")))
            #expect(await call(test, .get, hash, by: stranger) == .failure(CentrifugeError(code: 404, message: "unknown_invoice")))
            guard case .success = await call(test, .cancel, hash, by: caller) else { Issue.record("not canceled"); return }
            _ = await call(test, .cancel, hash, by: caller)
            guard case .failure(let error) = await call(test, .cancel, hash, by: caller) else { Issue.record("not limited"); return }
            #expect(error.code == 111 && error.isTemporary && error.message == "too many requests: limit requests_per_second, retry after 1 s")
            let log = TestServer.sql("SELECT transport, path, target, status, account FROM audit WHERE transport = 'websocket' ORDER BY id", in: test.database)
            #expect(log == "websocket|invoice.cancel|\(hash)|404|\(account)\nwebsocket|invoice.cancel|\(hash)|200|1\nwebsocket|invoice.cancel|\(hash)|200|1")
            _ = await test.ask("DELETE", "/v1/keys/\(id(key))")
            #expect(await call(test, .cancel, hash, by: caller) == .failure(.unauthorized))
        }
    }

    @Test("a key of another account sees nothing of an invoice: show, list, wait, settle, cancel, events, histories and snapshots")
    func foreignAccount() async throws {
        try await TestGateway.run { test in
            let account = await test.makeAccount()
            let foreign = await test.makeKey([.admin], account: account)
            let mine = try await test.create(), theirs = try await test.create(key: foreign)
            let theirHash = try #require(theirs["payment_hash"]?.text)
            let hash = try #require(mine["payment_hash"]?.text.flatMap { PaymentHash(hex: $0) })
            let path = "/v1/invoices/\(hash)"
            for rest in ["", "/wait?timeout=0", "/wait"] { #expect(await test.ask("GET", path + rest, key: foreign).status == 404) }
            for rest in ["/settle", "/cancel"] { #expect(await test.ask("POST", path + rest, "{}", key: foreign).status == 404) }
            for query in ["", "?state=open", "?limit=1"] {
                let items = try await test.ask("GET", "/v1/invoices" + query, key: foreign).json["invoices"]?.items
                #expect(items?.compactMap { $0["payment_hash"]?.text } == [theirHash])
            }
            for query in ["", "?type=invoice.created", "?after=0&limit=1", "?wait=0"] {
                let events = try await test.ask("GET", "/v1/events" + query, key: foreign).json["events"]?.items
                #expect(events?.compactMap { $0["data"]?["payment_hash"]?.text } == [theirHash])
            }
            let stream = test.begin("/v1/events", key: foreign, fields: ["Accept": "text/event-stream"])
            let waiting = test.begin("/v1/events?after=2&wait=60", key: foreign)
            #expect(await eventually { stream.text.contains("id: 2") && test.api.streams.count == 2 })
            _ = await test.ask("POST", path + "/cancel", "{}")
            _ = await test.ask("POST", "/v1/invoices/\(theirHash)/cancel", "{}", key: foreign)
            let offsets = try await waiting.answer().json["events"]?.items?.compactMap { $0["offset"]?.integer }
            #expect(offsets == [4])
            #expect(await eventually { stream.text.contains("id: 4") })
            #expect(!stream.text.contains("\(hash)"))
            for channel in [Channel.invoice(hash), .events, .htlcs, .nodes] {
                for limit in [0, 100] {
                    let history: LoadedHistory? = await withCheckedContinuation { done in
                        test.api.load(channel, account: account, after: 0, limit: limit) { done.resume(returning: $0) }
                    }
                    let found = try #require(history)
                    #expect(found.events.allSatisfy { $0.account == account } && found.snapshot == nil, "\(channel.name)")
                    if channel != .events { #expect(found.events.isEmpty) }
                }
            }
        }
    }

    @Test("an event that is published reaches no subscriber of another account")
    func carried() {
        let hash = PaidInvoice().issued.paymentHash
        let event = PublishedEvent(offset: 1, id: "evt_1", type: .htlcAccepted, account: 1, paymentHash: hash, time: UnixTime(seconds: 1), data: "{}")
        #expect(EventFilter(.events, account: 1).admits(event) && !EventFilter(.events, account: 2).admits(event))
        #expect(!EventFilter(.htlcs, account: 2).admits(event) && !EventFilter(.invoice(hash), account: 2).admits(event))
    }
}
