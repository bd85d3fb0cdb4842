import Loop

/// The body of `POST /node`: what a node shall say of itself from now on.
struct NodeChange {
    let fields: ControlFields
    private let requiresInterceptor: Bool?
    private let storesFinalResolutions: Bool?
    private let walletState: UInt64?
    private let version: String?
    private let network: String?
    private let buildTags: [String]?
    private let isSyncedToChain: Bool?
    private let macaroonError: String?

    init(_ body: [UInt8]) throws(ControlProblem) {
        fields = try ControlFields(
            body,
            allowed: [
                "node", "require_htlc_interceptor", "store_final_htlc_resolutions", "wallet_state", "version", "network",
                "build_tags", "synced_to_chain", "macaroon_error",
            ])
        requiresInterceptor = try fields.flag("require_htlc_interceptor")
        storesFinalResolutions = try fields.flag("store_final_htlc_resolutions")
        walletState = try fields.integer("wallet_state", max: 255)
        version = try fields.text("version")
        network = try fields.text("network")
        buildTags = try fields.texts("build_tags")
        isSyncedToChain = try fields.flag("synced_to_chain")
        macaroonError = try fields.text("macaroon_error")
    }

    @LoopActor
    func apply(to node: NodeServer) {
        node.change { settings in
            if let requiresInterceptor { settings.requiresInterceptor = requiresInterceptor }
            if let storesFinalResolutions { settings.storesFinalResolutions = storesFinalResolutions }
            if let walletState { settings.walletState = Int(walletState) }
            if let version { settings.version = version }
            if let network { settings.network = network }
            if let buildTags { settings.buildTags = buildTags }
            if let isSyncedToChain { settings.isSyncedToChain = isSyncedToChain }
        }
        if let macaroonError { node.macaroonComplaint = macaroonError.isEmpty ? nil : macaroonError }
    }
}
