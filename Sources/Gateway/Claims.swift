internal import Edge
internal import Keys
internal import Ledger
internal import Loop
internal import Payments
internal import Wire

/// Carries out a request once, however often and at how many processes it is asked for under one `Idempotency-Key`.
///
/// A request is claimed in the database before it is carried out, and its answer is stored before it is told. What a process
/// leaves behind that is killed in between becomes free after a minute; whoever claims it then gets the seed and the
/// time of the first attempt, and what is made from these is what the first attempt has made, if it came so far. One that only
/// stalled has lost its lease then: it can neither answer nor free what another holds, and tells nothing of its own.
@LoopActor
final class Claims {
    /// The right to carry a request out.
    struct Claim {
        /// That it is this one's still; what is done in its name can ask for it.
        var lease: ClaimLease
        /// For everything random that the request makes.
        var seed: Bytes32
        /// When it was asked for first.
        var time: UnixTime
    }

    enum Outcome {
        case granted(Claim)
        case answered(HTTPResponse)
        case refused(Problem)
    }

    private struct Place: Hashable {
        var account: Int64
        var key: String
    }

    /// How long an answer is kept.
    static let retentionMilliseconds: Int64 = 86_400_000

    private let ledger: Ledger
    private let secrets: ClaimSecrets
    /// What this process is at, with what was asked for.
    private var running: [Place: Bytes32] = [:]
    private let wanted: Gathered<ClaimRequest, ClaimOutcome>
    private let answers: Gathered<ClaimAnswer, Bool>

    init(ledger: Ledger, secrets: ClaimSecrets) {
        self.ledger = ledger
        self.secrets = secrets
        wanted = Gathered { ledger.claim($0, completion: $1) }
        answers = Gathered { ledger.answerClaims($0, completion: $1) }
    }

    /// 1 to 255 printable ASCII characters.
    static func isWellFormed(_ key: String) -> Bool {
        (1...255).contains(key.utf8.count) && key.utf8.allSatisfy { (0x20...0x7E).contains($0) }
    }

    func claim(_ request: HTTPRequest, key: String, account: Int64, at time: UnixTime, _ done: @escaping @LoopActor (Outcome) -> Void) {
        guard Self.isWellFormed(key) else { return done(.refused(.badIdempotencyKey)) }
        let digest = Self.digest(request)
        let place = Place(account: account, key: key)
        if let other = running[place] { return done(.refused(other == digest ? .stillRunning : .otherRequest)) }
        running[place] = digest
        let wish = ClaimRequest(account: account, key: key, request: digest, seed: SecureRandom.bytes32(), time: time)
        wanted.add(wish) { [self] result in
            switch result {
            case .success(.granted(let lease, let seed, let time)):
                return done(.granted(Claim(lease: lease, seed: seed, time: time)))
            case .success(.answered(let seed, let status, let sealed)):
                done(secrets.open(sealed, for: seed).map { .answered(Self.response(status, $0)) } ?? .refused(.conflict("the answer was sealed under another identity key")))
            case .success(.running): done(.refused(.stillRunning))
            case .success(.otherRequest): done(.refused(.otherRequest))
            case .failure: done(.refused(.unavailable))
            }
            running[place] = nil
        }
    }

    /// Stores the answer, or frees the claim if nothing was decided. `done` gets what may be told then.
    func end(_ claim: Claim, _ response: HTTPResponse, _ done: @escaping @LoopActor (HTTPResponse) -> Void) {
        let ended: @LoopActor (HTTPResponse) -> Void = { [self] response in
            running[Place(account: claim.lease.account, key: claim.lease.key)] = nil
            done(response)
        }
        guard response.status < 500, response.status != 429 else { return ledger.freeClaim(claim.lease) { _ in ended(response) } }
        let sealed = secrets.seal(Self.bytes(of: response), for: claim.seed)
        answers.add(ClaimAnswer(claim.lease, status: response.status, answer: sealed)) { result in
            // One that could not be stored is told all the same: who asks again is answered from the same seed. But where another
            // answers, that is the answer.
            if case .success(false) = result { ended(HTTPResponse(refusing: .stillRunning)) } else { ended(response) }
        }
    }

    /// Forgets answers that nobody will ask for again.
    func forgetOld(at time: UnixTime) {
        ledger.forgetClaims(before: time.advanced(byMilliseconds: -Self.retentionMilliseconds)) { [weak self] result in
            if case .success(let count) = result, count >= 1000 { self?.forgetOld(at: time) }
        }
    }

    private static func digest(_ request: HTTPRequest) -> Bytes32 {
        var bytes = Array("\(request.method.rawValue) \(request.path)\n".utf8)
        for item in request.query.items { bytes += "\(item.name.utf8.count):\(item.name)=\(item.value.utf8.count):\(item.value)\n".utf8 }
        bytes.append(0x0A)
        bytes += request.body
        return LibCrypto.sha256(bytes.span)
    }

    /// The content's type, a line feed, the content.
    private static func bytes(of response: HTTPResponse) -> [UInt8] {
        let type = response.headers.first { $0.name == "content-type" }?.value ?? ""
        return Array(type.utf8) + [0x0A] + response.body
    }

    private static func response(_ status: Int, _ bytes: [UInt8]) -> HTTPResponse {
        let end = bytes.firstIndex(of: 0x0A) ?? bytes.endIndex
        return HTTPResponse(
            status: status, contentType: String(decoding: bytes[..<end], as: UTF8.self), headers: [.init("idempotency-replayed", "true")],
            body: Array(bytes[min(end + 1, bytes.count)...]))
    }
}
