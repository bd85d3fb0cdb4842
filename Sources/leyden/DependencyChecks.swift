internal import Foundation
internal import Keys
internal import LND
internal import Ledger

/// What `leyden doctor` finds out by asking: the database and each node. It takes nothing from a running gateway.
enum DependencyChecks {
    static func findings(_ configuration: Configuration) async -> [Finding] {
        var findings: [Finding] = []
        if let dsn = configuration.dsn { findings.append(await database(dsn.reveal())) }
        for node in configuration.nodes { findings += await self.node(node) }
        return findings
    }

    private static func database(_ dsn: String) async -> Finding {
        do throws(LedgerError) {
            let missing = try await Ledger.missingMigrations(dsn: dsn)
            if missing.isEmpty { return Finding(.ok, "database", "reachable, and its schema is up to date") }
            return Finding(.warning, "database", "reachable, but its schema is not up to date", remedy: "run `leyden migrate`, or `leyden run`, which does it")
        } catch {
            let reason = "\(CommandError(error))"
            return Finding(.error, "database", Text.shown(reason, limit: 200), remedy: "check database.dsn and that the server runs")
        }
    }

    private static func node(_ configuration: NodeConfiguration) async -> [Finding] {
        let subject = "node \(configuration.name)"
        switch await NodeProbe.run(configuration, hash: LibCrypto.self) {
        case .success(let info):
            let version = info.version.map { ", lnd \($0)" } ?? ""
            return [Finding(.ok, subject, "can be used\(version)")]
                + info.warnings.map { Finding(.warning, subject, Text.shown($0.reason, limit: 200), remedy: Text.shown($0.remedy, limit: 200)) }
        case .failure(let problem):
            return [Finding(.error, subject, Text.shown(problem.reason, limit: 200), remedy: Text.shown(problem.remedy, limit: 200))]
        }
    }
}
