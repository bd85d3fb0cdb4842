import Foundation
import Testing

@Suite("The command line")
struct CommandTests {
    @Test("keygen makes another key each time, and a file only its owner can read")
    func keygen() throws {
        let (first, second) = (try LeydenCommand(["keygen"]).output, try LeydenCommand(["keygen"]).output)
        #expect(first.count == 65 && first != second)
        let file = FileManager.default.temporaryDirectory.appending(path: "leyden-keygen-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        let made = try LeydenCommand(["keygen", "--out", file.path])
        #expect(made.status == 0 && made.output.isEmpty)
        let attributes = try FileManager.default.attributesOfItem(atPath: file.path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        let again = try LeydenCommand(["keygen", "--out", file.path])
        #expect(again.status == 1 && again.errors.contains("not overwritten"))
    }

    @Test("--version prints the version alone")
    func version() throws {
        let printed = try LeydenCommand(["--version"])
        #expect(printed.status == 0)
        #expect(printed.output.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil)
    }

    @Test("commands that need a gateway say in one line that there is none", arguments: [["node", "list"], ["invoice", "create"], ["events", "tail"]])
    func noGateway(command: [String]) throws {
        // Port 1 is reserved and nothing listens there.
        let called = try LeydenCommand(command, environment: ["LEYDEN_URL": "http://127.0.0.1:1"])
        #expect(called.status == 1)
        #expect(called.errors.contains("cannot be reached") && called.errors.count { $0 == "\n" } == 1)
    }

    @Test("doctor finds what is missing, says what to do, and prints JSON if asked")
    func doctor() throws {
        let looked = try LeydenCommand(["doctor", "--json", "--internal-listen", "127.0.0.1:1"])
        #expect(looked.status == 1)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(looked.output.utf8)) as? [String: Any])
        #expect(object["ok"] as? Bool == false)
        let findings = try #require(object["findings"] as? [[String: String]])
        #expect(findings.contains { $0["subject"] == "identity_key" && $0["level"] == "error" && $0["remedy"]?.contains("keygen") == true })
    }

    @Test("doctor warns of a macaroon that can do too much, and refuses it on mainnet", arguments: [("regtest", "warning"), ("mainnet", "error")])
    func excessiveMacaroon(network: String, level: String) throws {
        let macaroon = Data([2] + Array("\u{1}\u{3}lnd macaroon generate onchain write address write".utf8)).map { String(format: "%02x", $0) }.joined()
        let environment = [
            "LEYDEN_NETWORK": network, "LEYDEN_NODES_0_NAME": "alice", "LEYDEN_NODES_0_ADDRESS": "127.0.0.1:1",
            "LEYDEN_NODES_0_PUBKEY": ConfigurationTests.pubkey, "LEYDEN_NODES_0_TLS_CERT": "/nowhere/tls.cert",
            "LEYDEN_NODES_0_MACAROON": macaroon, "LEYDEN_INTERNAL_LISTEN": "127.0.0.1:1",
        ]
        let looked = try LeydenCommand(["doctor"], environment: environment)
        #expect(looked.output.split(separator: "\n").contains { $0.hasPrefix(level) && $0.contains("more than the gateway needs") })
        #expect(looked.output.contains("tls_cert /nowhere/tls.cert: no such file"))
        #expect(!looked.output.contains(macaroon) && !looked.errors.contains(macaroon))
    }
}
