public import Bolt
public import LND
public import Ledger
public import Payments

/// What the operator decides about the gateway, already typed and checked.
public struct GatewaySettings: Sendable {
    public var network: Network
    /// The only source of the addresses that are handed out, without a slash at the end.
    public var publicURL: String
    public var nodes: [NodeConfiguration]
    public var routing: RoutingPolicy
    /// The final CLTV delta that invoices ask for.
    public var finalCLTVDelta: UInt16
    /// What an invoice gets that does not say.
    public var settlement: InvoiceTerms.Settlement
    public var acceptTimeoutMilliseconds: Int64
    public var mppTimeoutMilliseconds: Int64
    public var leaseMilliseconds: Int64
    public var eventRetentionMilliseconds: Int64
    /// What a key may do that has no limits of its own.
    public var keyLimits: KeyLimits
    /// Whether payments of stateless hold invoices are turned away while nobody listens for them.
    public var requiresListener: Bool
    /// How many valid keys an account may make over the API; zero is no limit.
    public var keysPerAccount: Int64
    /// How long the audit log is kept.
    public var auditRetentionMilliseconds: Int64
    /// Whether this process competes for the interceptor's lease; one that serves clients only does not.
    public var mayLead: Bool
    /// Brings the schema up to date before it starts.
    public var migrates: Bool
    /// Names this process among those that could hold the lease.
    public var instance: String
    public var version: String
    public var webhooks: WebhookSettings
    public var lnurl: LNURLSettings
    public var payouts: PayoutPolicy

    public init(
        network: Network, publicURL: String, nodes: [NodeConfiguration], routing: RoutingPolicy = .init(), finalCLTVDelta: UInt16 = 80,
        settlement: InvoiceTerms.Settlement = .auto, acceptTimeoutMilliseconds: Int64 = 60_000, mppTimeoutMilliseconds: Int64 = 60_000,
        leaseMilliseconds: Int64 = 3_000, eventRetentionMilliseconds: Int64 = 604_800_000, keyLimits: KeyLimits = KeyLimits(),
        keysPerAccount: Int64 = 1000, auditRetentionMilliseconds: Int64 = 34_560_000_000, webhooks: WebhookSettings = .init(),
        lnurl: LNURLSettings = .init(), payouts: PayoutPolicy = .init(), requiresListener: Bool = false, mayLead: Bool = true,
        migrates: Bool = true, instance: String, version: String
    ) {
        self.network = network
        self.publicURL = publicURL
        self.nodes = nodes
        self.routing = routing
        self.finalCLTVDelta = finalCLTVDelta
        self.settlement = settlement
        self.acceptTimeoutMilliseconds = acceptTimeoutMilliseconds
        self.mppTimeoutMilliseconds = mppTimeoutMilliseconds
        self.leaseMilliseconds = leaseMilliseconds
        self.eventRetentionMilliseconds = eventRetentionMilliseconds
        self.keyLimits = keyLimits
        self.requiresListener = requiresListener
        self.keysPerAccount = keysPerAccount
        self.auditRetentionMilliseconds = auditRetentionMilliseconds
        self.mayLead = mayLead
        self.migrates = migrates
        self.instance = instance
        self.version = version
        self.webhooks = webhooks
        self.lnurl = lnurl
        self.payouts = payouts
    }

    var policy: PaymentPolicy {
        PaymentPolicy(finalCLTVDelta: UInt32(finalCLTVDelta), mppTimeout: mppTimeoutMilliseconds, acceptTimeout: acceptTimeoutMilliseconds)
    }
}
