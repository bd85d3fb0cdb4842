internal import Bolt
internal import Gateway
internal import Glibc
internal import Keys
internal import Loop
internal import Payments

/// Intercepted HTLCs from the onion to the order to settle: peel, secret check and machine, with a store that agrees at once.
struct DecideBench {
    private static let height: UInt32 = 800_000
    private static let batch = 500

    private let identity: IdentityKey
    private let secrets: PaymentSecrets
    private let screening: Screening
    private let node: PublicKey
    private var machine = PaymentMachine<LibCrypto>(policy: PaymentPolicy())
    private var nextHTLC: UInt64 = 0

    init() {
        identity = Fixture.identity()
        secrets = PaymentSecrets(identity: identity)
        screening = Screening(identity: identity, secrets: secrets, policy: RoutingPolicy())
        node = Fixture.identity().publicKey
        _ = machine.heightReached(Self.height, at: now)
    }

    private var now: UnixTime { UnixTime(milliseconds: Clock.wallMilliseconds) }

    mutating func nanoseconds(count: Int) -> Double {
        var elapsed: UInt64 = 0
        var left = count
        while left > 0 {
            let htlcs = (0..<min(left, Self.batch)).map { _ in makeHTLC() }
            left -= htlcs.count
            let time = now
            let start = Fixture.processorNanoseconds
            var settled = 0
            for htlc in htlcs { settled += decide(htlc, at: time) }
            elapsed += Fixture.processorNanoseconds - start
            guard settled == htlcs.count else { exit(70) }
            for htlc in htlcs { conclude(htlc, at: time) }
        }
        guard machine.liveCount == 0 else { exit(70) }
        return Double(elapsed) / Double(count)
    }

    /// How many settlements were ordered.
    private mutating func decide(_ htlc: InterceptedHTLC, at time: UnixTime) -> Int {
        guard case .offer(let offer, _) = screening.judge(htlc, height: machine.height) else { return 0 }
        return obey(machine.offered(offer, at: time), at: time)
    }

    private mutating func obey(_ orders: [Order], at time: UnixTime) -> Int {
        var settled = 0
        for order in orders {
            switch order {
            case .persist(let id, _): settled += obey(machine.persisted(id, .applied, at: time), at: time)
            case .settle: settled += 1
            default: continue
            }
        }
        return settled
    }

    /// The payment leaves the machine's memory; not measured.
    private mutating func conclude(_ htlc: InterceptedHTLC, at time: UnixTime) {
        _ = obey(machine.resolved(htlc.circuitKey, Resolution(isSettled: true, isOffChain: true), at: time), at: time)
    }

    private mutating func makeHTLC() -> InterceptedHTLC {
        nextHTLC += 1
        let amount = Millisatoshis(21_000)
        let terms = InvoiceTerms(amount: amount, expiresAt: UnixTime(seconds: now.seconds + 3600), settlement: .auto, isStored: false)
        let issued = secrets.make(terms, random: SecureRandom.bytes32())
        let expiry = Self.height + 83
        let payload = HopPayload(
            amount: amount, outgoingExpiry: expiry, paymentData: .init(secret: issued.secret, total: amount))
        guard let onion = Onion.build(
            route: [.init(key: identity.publicKey, payload: payload.encode())], sessionKey: SecureRandom.bytes32(),
            associatedData: issued.paymentHash, by: LibCrypto.self)
        else { exit(70) }
        return InterceptedHTLC(
            circuitKey: CircuitKey(node: node, chanID: 1 << 40, htlcID: nextHTLC), paymentHash: issued.paymentHash,
            incomingAmount: amount, incomingExpiry: expiry + 80, outgoingAmount: amount, outgoingExpiry: expiry,
            onion: onion.packet, autoFailHeight: Int32(expiry + 80 - 13))
    }
}
