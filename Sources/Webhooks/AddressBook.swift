internal import Delivery
internal import Loop

/// Which addresses names resolve to. An answer is remembered for a while, and those who ask for a name while it is looked
/// up share the answer.
@LoopActor
final class AddressBook {
    private let memory: UInt64
    /// What does not resolve is not asked for at once again: few names can be looked up at a time.
    private static let shortMemory: UInt64 = 5_000_000_000
    private static let maximumNames = 10_000

    typealias LookUp = @LoopActor (_ host: String, _ done: @escaping @LoopActor ([IPAddress]) -> Void) -> Void

    private let lookUp: LookUp
    private var known: [String: (addresses: [IPAddress], until: UInt64)] = [:]
    private var waiting: [String: [@LoopActor ([IPAddress]) -> Void]] = [:]

    init(memorySeconds: UInt64 = 30, _ lookUp: @escaping LookUp = systemLookUp) {
        memory = memorySeconds * 1_000_000_000
        self.lookUp = lookUp
    }

    /// As this machine resolves names.
    static func systemLookUp(_ host: String, _ done: @escaping @LoopActor ([IPAddress]) -> Void) {
        HostLookup.start(host: host, port: 443) { found in done(found.compactMap { IPAddress(octets: $0.octets) }) }
    }

    /// Empty if it does not resolve.
    func resolve(_ host: String, _ done: @escaping @LoopActor ([IPAddress]) -> Void) {
        if let entry = known[host], entry.until > Clock.monotonicNanoseconds { return done(entry.addresses) }
        let isAsked = waiting[host] != nil
        waiting[host, default: []].append(done)
        guard !isAsked else { return }
        lookUp(host) { [self] found in
            var addresses: [IPAddress] = []
            for address in found where !addresses.contains(address) { addresses.append(address) }
            if known.count >= Self.maximumNames { known.removeAll() }
            known[host] = (addresses, Clock.monotonicNanoseconds + (addresses.isEmpty ? min(Self.shortMemory, memory) : memory))
            for done in waiting.removeValue(forKey: host) ?? [] { done(addresses) }
        }
    }
}
