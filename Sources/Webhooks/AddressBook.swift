internal import Delivery
internal import Loop

/// Which addresses names resolve to. An answer is remembered for a while, and those who ask for a name while it is looked
/// up share the answer.
///
/// A name can take as long to resolve as its owner likes, and few can be looked up at a time. So an account has only some of the
/// look-ups, however many names it asks for, and accounts take turns.
@LoopActor
final class AddressBook {
    /// Look-ups at once: fewer than ``HostLookup`` makes, which others need too.
    static let mostAtOnce = 6
    /// Those that one account has begun.
    static let mostOfAccount = 3
    /// Of an account's requests that wait for a name. They give up long before a slow name is answered, but stand here until then.
    static let mostWaiting = 2_000
    /// What does not resolve is not asked for at once again.
    private static let shortMemory: UInt64 = 5_000_000_000
    private static let maximumNames = 10_000

    typealias LookUp = @LoopActor (_ host: String, _ done: @escaping @LoopActor ([IPAddress]) -> Void) -> Void

    private struct Question {
        /// In whose lines it stands.
        var accounts: Set<Int64> = []
        var isUnderWay = false
        var waiting: [(account: Int64, done: @LoopActor ([IPAddress]) -> Void)] = []
    }

    private let memory: UInt64
    private let lookUp: LookUp
    private var known: [String: (addresses: [IPAddress], until: UInt64)] = [:]
    private var questions: [String: Question] = [:]
    private var line = Rotation<Int64, [String]>()
    private var underWay: [Int64: Int] = [:]
    private var waiting: [Int64: Int] = [:]

    init(memorySeconds: UInt64 = 30, _ lookUp: @escaping LookUp = systemLookUp) {
        memory = memorySeconds * 1_000_000_000
        self.lookUp = lookUp
    }

    /// As this machine resolves names.
    static func systemLookUp(_ host: String, _ done: @escaping @LoopActor ([IPAddress]) -> Void) {
        HostLookup.start(host: host, port: 443) { found in done(found.compactMap { IPAddress(octets: $0.octets) }) }
    }

    /// Empty if it does not resolve, or if too much of the account waits.
    func resolve(_ host: String, for account: Int64, _ done: @escaping @LoopActor ([IPAddress]) -> Void) {
        if let entry = known[host], entry.until > Clock.monotonicNanoseconds { return done(entry.addresses) }
        guard waiting[account] ?? 0 < Self.mostWaiting else { return done([]) }
        waiting[account, default: 0] += 1
        var question = questions[host] ?? Question()
        question.waiting.append((account, done))
        // Nobody waits in another's line.
        let isNew = !question.isUnderWay && question.accounts.insert(account).inserted
        questions[host] = question
        guard isNew else { return }
        line.change(account, default: []) { $0.append(host) }
        askNext()
    }

    private func askNext() {
        while underWay.values.reduce(0, +) < Self.mostAtOnce {
            let next: (account: Int64, host: String)? = line.serve { account, hosts in
                guard underWay[account] ?? 0 < Self.mostOfAccount else { return nil }
                return ((account, hosts.removeFirst()), hosts.isEmpty)
            }
            guard let (account, host) = next else { return }
            // It may have been answered in another's turn.
            guard questions[host]?.isUnderWay == false else { continue }
            questions[host]?.isUnderWay = true
            underWay[account, default: 0] += 1
            lookUp(host) { [self] found in
                let left = (underWay[account] ?? 1) - 1
                underWay[account] = left > 0 ? left : nil
                answer(host, found)
                askNext()
            }
        }
    }

    private func answer(_ host: String, _ found: [IPAddress]) {
        var addresses: [IPAddress] = []
        for address in found where !addresses.contains(address) { addresses.append(address) }
        if known.count >= Self.maximumNames { known.removeAll() }
        known[host] = (addresses, Clock.monotonicNanoseconds + (addresses.isEmpty ? min(Self.shortMemory, memory) : memory))
        let answered = questions.removeValue(forKey: host)?.waiting ?? []
        for (account, _) in answered {
            let left = (waiting[account] ?? 1) - 1
            waiting[account] = left > 0 ? left : nil
        }
        for (_, done) in answered { done(addresses) }
    }
}
