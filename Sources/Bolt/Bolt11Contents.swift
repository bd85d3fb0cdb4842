import Payments

/// The fields of an invoice by meaning, after the rules about their number were applied.
struct Bolt11Contents {
    var paymentHash: PaymentHash
    var paymentSecret: PaymentSecret
    var description: InvoiceRecord.Description
    var payee: PublicKey?
    var expiry: UInt64?
    var minFinalCLTVExpiry: UInt64?
    var routeHints: [[HopHint]] = []
    var features: FeatureBits
    var metadata: [UInt8]?

    init(_ fields: [Bolt11Field]) throws(Bolt11Invoice.Failure) {
        var hash: PaymentHash?
        var secret: PaymentSecret?
        var description: InvoiceRecord.Description?
        var features: FeatureBits?
        for field in fields {
            switch field {
            case .paymentHash(let value):
                guard hash == nil else { throw .duplicate }
                hash = value
            case .paymentSecret(let value):
                guard secret == nil else { throw .duplicate }
                secret = value
            case .description(let text):
                guard description == nil else { throw .description }
                description = .text(text)
            case .descriptionHash(let value):
                guard description == nil else { throw .description }
                description = .hash(value)
            // Of the others the first counts, as BOLT 11 has it.
            case .payee(let key): payee = payee ?? key
            case .expiry(let seconds): expiry = expiry ?? seconds
            case .minFinalCLTVExpiry(let blocks): minFinalCLTVExpiry = minFinalCLTVExpiry ?? blocks
            case .features(let bits): features = features ?? bits
            case .metadata(let bytes): metadata = metadata ?? bytes
            case .route(let hops): routeHints.append(hops)
            case .fallback, .unknown: continue
            }
        }
        guard let hash else { throw .paymentHashMissing }
        guard let secret else { throw .paymentSecretMissing }
        guard let description else { throw .description }
        guard let features else { throw .featuresMissing }
        if let bit = features.unknownDemand { throw .unknownFeature(bit) }
        if features.has(FeatureBits.Feature.basicMPP), !features.has(FeatureBits.Feature.paymentSecret) { throw .featureDependency }
        paymentHash = hash
        paymentSecret = secret
        self.description = description
        self.features = features
    }
}
