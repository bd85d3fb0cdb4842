internal import Edge
internal import Foundation
internal import Gateway
internal import Keys
internal import Ledger
internal import Logging
internal import Loop
internal import Payments

/// The composition root: makes the rooms, connects them, and starts and stops them in order.
@LoopActor
final class House {
    private let gateway: PaymentGateway
    private let api: GatewayAPI
    /// None where no clients are served.
    private let edge: EdgeServer?
    private let internalEdge: EdgeServer
    private let lnmux: LnmuxServer?
    private let logger: Logger

    /// A shard leaves to the first process what is served once.
    init(_ configuration: Configuration, role: Run.Role, isShard: Bool, logger: Logger) throws {
        guard let identity = IdentityKey(try configuration.requiredIdentityKey().reveal()) else {
            throw ConfigurationError.bad(key: "identity_key", origin: "identity_key", reason: "not a private key of secp256k1")
        }
        let secrets = PaymentSecrets(identity: identity)
        let watchTokens = WatchTokens(identity: identity)
        let settings = GatewaySettings(
            network: configuration.network, publicURL: configuration.publicURL, nodes: configuration.nodes, routing: configuration.routing,
            finalCLTVDelta: configuration.finalCLTVDelta, settlement: configuration.settlement,
            acceptTimeoutMilliseconds: Int64(configuration.acceptTimeout.milliseconds),
            mppTimeoutMilliseconds: Int64(configuration.mppTimeout.milliseconds),
            leaseMilliseconds: Int64(configuration.lease.milliseconds),
            eventRetentionMilliseconds: Int64(configuration.eventRetention.milliseconds), keyLimits: configuration.keyLimits,
            keysPerAccount: configuration.keysPerAccount, auditRetentionMilliseconds: Int64(configuration.auditRetention.milliseconds),
            webhooks: configuration.webhooks, payouts: PayoutPolicy(lookupGrace: Int64(configuration.payoutLookupGrace.milliseconds)),
            requiresListener: configuration.grpc.requiresSubscriber, mayLead: role != .edge, migrates: configuration.migratesByItself,
            instance: "\(ProcessInfo.processInfo.hostName)/\(ProcessInfo.processInfo.processIdentifier)", version: Version.text)
        let ledger: Ledger
        do {
            ledger = try Ledger(
                dsn: try configuration.requiredDSN().reveal(), listenDSN: configuration.listenDSN?.reveal(), logger: logger)
        } catch let error as LedgerError {
            throw CommandError(error)
        }
        gateway = PaymentGateway(settings: settings, identity: identity, secrets: secrets, ledger: ledger, logger: logger)
        api = GatewayAPI(
            gateway: gateway, issuer: InvoiceIssuer(settings: settings, identity: identity, secrets: secrets), watchTokens: watchTokens,
            streamLimits: configuration.edgeLimits.streamLimits)
        edge = role == .mux ? nil : EdgeServer(
            configuration: EdgeConfiguration(
                address: configuration.listen.numericHost, port: configuration.listen.port,
                publicDirectory: configuration.publicDirectory ?? FilePlace.publicDirectory(),
                pages: [.init("/checkout", file: "checkout.html", takesSegment: true), .init("/docs", file: "docs.html"), .init("/pay", file: "pay.html", takesSegment: true)],
                allowedOrigins: EdgeLimits.origins(of: configuration.publicURL) + configuration.edgeLimits.allowedOrigins,
                unlimitedAddresses: Set(["127.0.0.1", "::1"] + configuration.edgeLimits.proxies),
                forgivingPaths: LNURLSettings.paths, limits: configuration.edgeLimits.limits),
            application: api, channels: api, logger: logger)
        lnmux = role == .mux || isShard ? nil : try LnmuxServer(configuration.grpc, api: api, mayBeTaken: role == .edge, logger: logger)
        let edge = edge
        internalEdge = EdgeServer(
            configuration: EdgeConfiguration(
                address: configuration.internalListen.numericHost, port: configuration.internalListen.port, servesWebSocket: false),
            application: InternalAPI(gateway: gateway) { [edge] in edge?.status ?? EdgeStatus() }, logger: logger)
        self.logger = logger
        gateway.onRestored = { Foundation.exit(75) }  // EX_TEMPFAIL: whoever supervises it starts it again
        gateway.onBegin = { [edge] head in edge?.begin(after: head) }
        gateway.onEvents = { [api, edge] events in
            edge?.publish(events)
            api.published(events)
        }
    }

    /// Listens first, so that an address in use is told at once; the rest waits for the database by itself.
    func start() throws {
        let ports: (public: UInt16?, internal: UInt16)
        do {
            ports = (try edge?.start(), try internalEdge.start())
        } catch {
            throw CommandError(error)
        }
        let grpcPort = try lnmux?.start()
        logger.info("listening", metadata: [
            "port": "\(ports.public.map(String.init) ?? "none")", "internal_port": "\(ports.internal)",
            "grpc_port": "\(grpcPort.map(String.init) ?? "none")",
        ])
        gateway.start()
    }

    /// The lease is given back at once; clients get the time to end what they are at.
    func stop(within interval: Interval) async {
        async let resigned: Void = resign()
        api.endStreams()
        lnmux?.stop()
        // What is left of the time is for the store.
        let time = UInt64(max(0, interval.milliseconds - 2000))
        if let edge { await withCheckedContinuation { done in edge.drain(milliseconds: time) { done.resume() } } }
        await resigned
        await withCheckedContinuation { done in gateway.stop { done.resume() } }
        internalEdge.stop()
    }

    private func resign() async {
        await withCheckedContinuation { done in gateway.resign { done.resume() } }
    }
}
