public import Loop
public import Payments

/// One node as the operator names it.
public struct NodeConfiguration: Sendable {
    /// For people; unique among the nodes.
    public var name: String
    public var host: String
    public var port: UInt16
    /// Through which it is reached; its name is then resolved there.
    public var proxy: SOCKSProxy?
    /// The node is refused if it has another key.
    public var pubkey: PublicKey
    /// The one certificate that is accepted; its names are not checked.
    public var certificate: CredentialSource
    public var macaroon: CredentialSource
    /// `mainnet`, `testnet`, `signet`, `simnet` or `regtest`, as LND spells it.
    public var network: String
    /// Whether its macaroon may do more than the gateway needs.
    public var allowsAdminMacaroon: Bool

    public init(
        name: String, host: String, port: UInt16 = 10009, proxy: SOCKSProxy? = nil, pubkey: PublicKey,
        certificate: CredentialSource, macaroon: CredentialSource, network: String,
        allowsAdminMacaroon: Bool = false
    ) {
        self.name = name
        self.host = host
        self.port = port
        self.proxy = proxy
        self.pubkey = pubkey
        self.certificate = certificate
        self.macaroon = macaroon
        self.network = network
        self.allowsAdminMacaroon = allowsAdminMacaroon
    }
}
