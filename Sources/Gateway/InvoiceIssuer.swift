public import Bolt
public import Keys
public import Payments

/// Writes and signs the virtual node's invoices (BOLT 11).
public struct InvoiceIssuer {
    /// What an invoice is to say.
    public struct Wish: Equatable, Sendable {
        public var amount: Millisatoshis?
        public var description: InvoiceRecord.Description
        public var expirySeconds: Int64
        public var settlement: InvoiceTerms.Settlement
        public var metadata: String?
        public var orderID: String?
        public var isStored: Bool
        /// Written into the invoice, sealed; it comes back with the payment.
        public var note: PayerNote?
        public init(
            amount: Millisatoshis?, description: InvoiceRecord.Description, expirySeconds: Int64 = 3600,
            settlement: InvoiceTerms.Settlement, metadata: String? = nil, orderID: String? = nil, isStored: Bool,
            note: PayerNote? = nil
        ) {
            self.amount = amount
            self.description = description
            self.expirySeconds = expirySeconds
            self.settlement = settlement
            self.metadata = metadata
            self.orderID = orderID
            self.isStored = isStored
            self.note = note
        }
    }

    let network: Network
    let identity: IdentityKey
    let secrets: PaymentSecrets
    let notes: InvoiceNotes
    let routing: RoutingPolicy
    let finalCLTVDelta: UInt16

    public init(settings: GatewaySettings, identity: IdentityKey, secrets: PaymentSecrets) {
        network = settings.network
        self.identity = identity
        self.secrets = secrets
        notes = InvoiceNotes(identity: identity)
        routing = settings.routing
        finalCLTVDelta = settings.finalCLTVDelta
    }

    /// `nodes` are those that can receive, best first, each with its virtual channel.
    public func issue(
        _ wish: Wish, account: Int64, through nodes: [(pubkey: PublicKey, chanID: UInt64)], at time: UnixTime, random: Bytes32
    ) throws(Bolt11Draft.Failure) -> InvoiceRecord {
        let created = UnixTime(seconds: time.seconds)
        let expires = UnixTime(seconds: created.seconds + wish.expirySeconds)
        let terms = InvoiceTerms(amount: wish.amount, expiresAt: expires, settlement: wish.settlement, isStored: wish.isStored, account: account)
        let issued = secrets.make(terms, random: random)
        let note = wish.note.map { notes.seal(Array($0.json.utf8), for: issued.secret) }
        let draft = Bolt11Draft(
            network: network, amount: wish.amount, timestamp: created, paymentHash: issued.paymentHash, paymentSecret: issued.secret,
            description: wish.description, expiry: UInt64(wish.expirySeconds), minFinalCLTVExpiry: UInt64(finalCLTVDelta),
            routeHints: nodes.map { node in
                [HopHint(
                    node: node.pubkey, shortChannelID: node.chanID, feeBase: UInt32(clamping: routing.feeBase.value), feePPM: routing.feePPM,
                    cltvDelta: routing.cltvDelta)]
            }, features: note == nil ? .payable : .payableWithMetadata, metadata: note)
        let text = try draft.encode(by: LibCrypto.self) { identity.sign(digest: $0) }
        return InvoiceRecord(
            paymentHash: issued.paymentHash, account: account, paymentRequest: text, terms: terms, description: wish.description,
            metadata: wish.metadata, orderID: wish.orderID, createdAt: created)
    }
}
