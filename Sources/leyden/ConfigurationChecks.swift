internal import Bolt
internal import Foundation
internal import Gateway
internal import LND

/// What can be seen of a configuration without talking to anybody.
enum ConfigurationChecks {
    static func findings(_ configuration: Configuration) -> [Finding] {
        var findings: [Finding] = []
        findings.append(
            configuration.identityKey == nil
                ? Finding(.error, "identity_key", "not set", remedy: "make one with `leyden keygen --out FILE` and set identity_key_file")
                : Finding(.ok, "identity_key", "set"))
        findings.append(
            configuration.dsn == nil
                ? Finding(.error, "database.dsn", "not set", remedy: "set it to a libpq connection string")
                : Finding(.ok, "database.dsn", "set"))
        findings += grpc(configuration.grpc)
        findings.append(publicURL(configuration))
        findings.append(pages(configuration))
        if configuration.nodes.isEmpty {
            findings.append(Finding(.error, "nodes", "none", remedy: "name at least one LND node: see README.md"))
        }
        for node in configuration.nodes { findings += credentials(of: node, network: configuration.network) }
        return findings
    }

    private static func publicURL(_ configuration: Configuration) -> Finding {
        let url = URLComponents(string: configuration.publicURL)
        let host = url?.host ?? ""
        let isLocal = ["127.0.0.1", "localhost", "::1", "[::1]"].contains(host)
        if configuration.network == .mainnet, isLocal {
            return Finding(.error, "public_url", "\(configuration.publicURL) leads payers to their own machine", remedy: "set it to the address that payers use")
        }
        if !isLocal, url?.scheme?.lowercased() == "http", !host.hasSuffix(".onion") {
            return Finding(.warning, "public_url", "without TLS, watch tokens can be read on the way", remedy: "put a TLS proxy in front and use https")
        }
        return Finding(.ok, "public_url", configuration.publicURL)
    }

    private static func grpc(_ configuration: GRPCConfiguration) -> [Finding] {
        guard let address = configuration.listen else { return [] }
        var findings: [Finding] = []
        if configuration.settings.returnsPreimage {
            findings.append(Finding(
                .warning, "grpc.return_preimage", "who makes an invoice over gRPC can take it for paid without a payment",
                remedy: "leave it off unless a client of lnmux needs the preimage"))
        }
        if !address.isLoopback, configuration.tls == nil {
            findings.append(Finding(.warning, "grpc_listen", "without TLS, API keys can be read on the way", remedy: "set grpc.tls_cert and grpc.tls_key"))
        }
        return findings
    }

    private static func pages(_ configuration: Configuration) -> Finding {
        guard let directory = configuration.publicDirectory ?? FilePlace.publicDirectory() else {
            return Finding(.warning, "public_dir", "no pages found, so none are served", remedy: "set public_dir to the directory with index.html")
        }
        guard FileManager.default.fileExists(atPath: directory + "/index.html") else {
            return Finding(.error, "public_dir", "\(Text.shown(directory)) has no index.html", remedy: "set public_dir to the directory of the pages")
        }
        return Finding(.ok, "public_dir", Text.shown(directory))
    }

    private static func credentials(of node: NodeConfiguration, network: Network) -> [Finding] {
        var findings: [Finding] = []
        let subject = "nodes \(node.name)"
        switch bytes(node.certificate) {
        case .failure(let unreadable):
            var finding = Finding(.error, subject, "tls_cert \(unreadable.reason)", remedy: "copy the node's tls.cert there, readable for this user")
            finding.isLeftToNode = true
            findings.append(finding)
        case .success(let bytes):
            let isCertificate = bytes.starts(with: Array("-----BEGIN CERTIFICATE".utf8)) || bytes.first == 0x30
            if !isCertificate {
                var finding = Finding(.error, subject, "tls_cert is no certificate", remedy: "it has to be the node's tls.cert")
                finding.isLeftToNode = true
                findings.append(finding)
            }
        }
        switch bytes(node.macaroon) {
        case .failure(let unreadable):
            var finding = Finding(.error, subject, "macaroon \(unreadable.reason)", remedy: "bake one for the gateway: \(MacaroonScope.bakeLine)")
            finding.isLeftToNode = true
            findings.append(finding)
        case .success(let bytes):
            if MacaroonScope.isExcessive(bytes) {
                findings.append(
                    Finding(network == .mainnet && !node.allowsAdminMacaroon ? .error : .warning, subject,
                            "the macaroon can do more than the gateway needs, as admin.macaroon can",
                            remedy: "bake one for the gateway: \(MacaroonScope.bakeLine)"))
            }
        }
        return findings.isEmpty ? [Finding(.ok, subject, "credentials can be read; the gateway needs what this bakes: \(MacaroonScope.bakeLine)")] : findings
    }

    private struct Unreadable: Error { var reason: String }

    private static func bytes(_ credential: CredentialSource) -> Result<[UInt8], Unreadable> {
        switch credential {
        case .bytes(let bytes): return .success(bytes)
        case .path(let path):
            guard let data = FileManager.default.contents(atPath: path) else {
                return .failure(Unreadable(reason: "\(Text.shown(path)): \(ConfigurationFile.reason(path))"))
            }
            return .success(Array(data))
        }
    }
}
