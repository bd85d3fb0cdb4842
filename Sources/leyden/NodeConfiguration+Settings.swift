internal import Bolt
internal import LND
internal import Payments

extension NodeConfiguration {
    /// Reads the section at `path`, such as `nodes[0]`.
    init(_ path: String, _ reader: SettingReader, network: Network) throws(ConfigurationError) {
        let name = try reader.value(path + ".name", SettingParser.nodeName)
        _ = try reader.value(path + ".kind") { (text) throws(BadValue) in
            guard text == "lnd" else { throw BadValue("expected lnd") }
        }
        let address = try reader.value(path + ".address") { (text) throws(BadValue) in
            let address = try HostPort(text)
            guard address.port != 0 else { throw BadValue("the port has to be 1 to 65535") }
            return address
        }
        let pubkey = try reader.value(path + ".pubkey") { (text) throws(BadValue) in
            guard let key = PublicKey(hex: text) else { throw BadValue("expected 66 hex digits that begin with 02 or 03") }
            return key
        }
        let proxy = try reader.optional(path + ".proxy", SettingParser.proxy)
        self.init(
            name: name, host: address.host, port: address.port, proxy: proxy, pubkey: pubkey,
            certificate: try reader.credential(path + ".tls_cert", CredentialSource.init(certificate:)),
            macaroon: try reader.credential(path + ".macaroon", CredentialSource.init(macaroon:)),
            network: network.rawValue, allowsAdminMacaroon: try reader.value(path + ".allow_admin_macaroon", SettingParser.bool))
    }

    static func refuseDuplicates(_ nodes: [NodeConfiguration]) throws(ConfigurationError) {
        var names: [String: Int] = [:]
        var keys: [PublicKey: Int] = [:]
        for (index, node) in nodes.enumerated() {
            if let other = names.updateValue(index, forKey: node.name) {
                throw .bad(key: "nodes[\(index)].name", origin: "nodes", reason: "the same as that of nodes[\(other)]")
            }
            if let other = keys.updateValue(index, forKey: node.pubkey) {
                throw .bad(key: "nodes[\(index)].pubkey", origin: "nodes", reason: "the same as that of nodes[\(other)]")
            }
        }
    }
}
