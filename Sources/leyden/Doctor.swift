internal import ArgumentParser
internal import Foundation

/// `leyden doctor`: looks at everything the gateway depends on and says what to change.
struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Checks configuration, credentials, database, nodes and public URL, and says what to change.",
        discussion: "Exits with 1 if something has to be changed before the gateway can take payments.")

    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let configuration = try options.load()
        var findings = ConfigurationChecks.findings(configuration)
        findings += await DependencyChecks.findings(configuration)
        findings += await GatewayCheck.findings(configuration)
        if json {
            Console.json([
                "ok": !findings.contains { $0.level == .error },
                "findings": findings.map { finding in
                    ["level": finding.level.rawValue, "subject": finding.subject, "message": finding.message, "remedy": finding.remedy ?? ""]
                },
            ])
        } else {
            for finding in findings {
                let line = "\(finding.level.rawValue)\t\(finding.subject): \(finding.message)"
                Console.line(finding.remedy.map { "\(line); \($0)" } ?? line)
            }
        }
        if findings.contains(where: { $0.level == .error }) { throw ExitCode(1) }
    }
}
