@testable import Gateway
import Keys
import Ledger
import Logging
import Loop
import Payments
import TestSupport
import Testing
import Wire

@LoopActor
@Suite(.serialized) struct AuditLogTests {
    private func makeLog(_ test: TestGateway) -> AuditLog {
        var logger = Logger(label: "tests")
        logger.logLevel = .critical
        return AuditLog(ledger: test.ledger, logger: logger)
    }

    private func note(_ path: String, in log: AuditLog, _ done: @escaping @LoopActor () -> Void) throws {
        let caller = try #require(Caller(.key(id: "k", account: 1, scopes: [])))
        log.note(caller, transport: "http", method: "POST", path: path, target: nil, status: 201, requestID: nil, done)
    }

    @Test("a row that the store does not take is lost alone: the others of its batch are written, and all are answered")
    func oneBadRow() async throws {
        try await TestGateway.run { test in
            TestServer.sql("ALTER TABLE audit ADD CHECK (path <> '/bad')", in: test.database)
            let log = makeLog(test)
            var answered: [String] = []
            let paths = ["/1", "/2", "/bad", "/3", "/bad", "/4"]
            for path in paths { try note(path, in: log) { answered.append(path) } }
            #expect(await eventually { answered.count == paths.count })
            #expect(answered == paths, "in their order")
            #expect(TestServer.sql("SELECT string_agg(path, ' ' ORDER BY id) FROM audit", in: test.database) == "/1 /2 /3 /4")
            // The next go together again.
            for path in ["/5", "/6"] { try note(path, in: log) { answered.append(path) } }
            #expect(await eventually { answered.count == paths.count + 2 })
            #expect(TestServer.sql("SELECT count(DISTINCT xmin::text), count(*) FROM audit WHERE path IN ('/5', '/6')", in: test.database) == "1|2")
        }
    }

    @Test("while as many rows wait as may, nobody adds one: not by what he may not do either")
    func full() async throws {
        try await TestGateway.run { test in
            let key = await test.makeKey([.eventsRead])
            #expect(await test.ask("POST", "/v1/invoices", "{}", key: key).status == 403)
            TestServer.sql("ALTER TABLE audit RENAME TO elsewhere", in: test.database)
            let caller = try #require(Caller(.key(id: "k", account: 1, scopes: [])))
            for _ in 0..<AuditLog.mostWaiting { test.api.note(caller, transport: "http", method: "POST", path: "/", status: 201) {} }
            #expect(await test.ask("POST", "/v1/invoices", "{}", key: key).problem == "audit_log_unavailable")
            TestServer.sql("ALTER TABLE elsewhere RENAME TO audit", in: test.database)
            #expect(await eventually { test.api.takesWrites })
            #expect(await test.ask("POST", "/v1/invoices", "{}", key: key).status == 403)
        }
    }

    @Test("the leader forgets what is older than the log is kept, in parts, and nothing else")
    func retention() async throws {
        try await TestGateway.run { test in
            TestServer.sql("""
                INSERT INTO audit SELECT lpad(to_hex(n), 12, '0') || repeat('0', 20), now(), 1, 'k', 'http', 'POST', '/old', NULL, 200 FROM generate_series(1, 2500) n
                """, in: test.database)
            let log = makeLog(test)
            var isWritten = false
            try note("/new", in: log) { isWritten = true }
            #expect(await eventually { isWritten })
            log.forgetOld(before: test.gateway.now.advanced(byMilliseconds: -1000))
            #expect(await eventually { TestServer.sql("SELECT count(*) FROM audit", in: test.database) == "1" })
            #expect(TestServer.sql("SELECT path FROM audit", in: test.database) == "/new")
        }
    }

    @Test("what a key may not do over the WebSocket is in the log as over REST; reading and watching are not")
    func deniedCalls() async throws {
        try await TestGateway.run { test in
            let key = await test.makeKey([.eventsRead])
            let known: Credentials? = await withCheckedContinuation { done in
                test.api.authenticate(key) { if case .known(let known) = $0 { done.resume(returning: known) } else { done.resume(returning: nil) } }
            }
            let credentials = try #require(known)
            let hash = PaidInvoice().issued.paymentHash
            let command = ClientCommand.decode(Array(#"{"id":1,"rpc":{"method":"invoice.cancel","data":{"payment_hash":"\#(hash)"}}}"#.utf8))
            guard case .rpc(_, let decision?)? = command?.first?.method else { Issue.record("not read"); return }
            for method in [RemoteMethod.get, .settle, .cancel] { test.api.denied(method, decision, by: credentials) }
            test.api.denied(.cancel, decision, by: .watch(hash))
            let rows = "SELECT path, target, status, account FROM audit WHERE transport = 'websocket' ORDER BY id"
            #expect(await eventually {
                TestServer.sql(rows, in: test.database) == "invoice.settle|\(hash)|403|1\ninvoice.cancel|\(hash)|403|1"
            })
        }
    }
}
