internal import CLWS
internal import Fanout
internal import Loop
internal import Payments
internal import Payments
internal import Wire

/// One WebSocket client: what it is subscribed to, what waits for it, and its session of the Centrifuge protocol.
///
/// There are tens of thousands of these: everything that most do not need is empty and takes no memory.
@LoopActor
@safe
final class WebSocketClient {
    struct Membership {
        var topic: Topic
        var place: Int32
        var index: Int { Int(place) }
    }

    // What every write asks for stands first, in the cache line of the object's head.
    // nonisolated(unsafe): it never changes, and is handed to libwebsockets on the loop's thread only.
    nonisolated(unsafe) let wsi: OpaquePointer
    let descriptor: Int32
    private(set) var isBlocked = false
    var isClosing = false
    /// How often in a row it was looked at while its socket took nothing.
    private var stalls: UInt8 = 0
    /// Whether the next bytes go on with a frame.
    private var isInFrame = false
    var session: ClientSession
    let hub: WebSocketHub
    /// Bytes of a message whose end has not arrived.
    var partial: [UInt8] = []
    private(set) var outbox = Outbox()
    private(set) var memberships = SmallArray<Membership>()
    /// The place in the hub's list, which decides when the client is pinged.
    var slot: Int32 = 0
    /// How many bytes masked frames have needed so far, with the request that began it all, modulo 2^32.
    private var needed: UInt32
    /// Whether it has shown a key; until then little may wait for it.
    var isTrusted = false

    init(wsi: OpaquePointer, hub: WebSocketHub, session: ClientSession, consumed: Int) {
        needed = UInt32(truncatingIfNeeded: consumed)
        unsafe self.wsi = wsi
        unsafe descriptor = lws_get_socket_fd(wsi)
        self.hub = hub
        self.session = session
    }

    /// Without counting a reference, which would wait for the object. Not on the loop's actor, which would be looked up for the closure.
    nonisolated static func connection(of client: Unmanaged<WebSocketClient>) -> OpaquePointer {
        unsafe client._withUnsafeGuaranteedRef { unsafe $0.wsi }
    }

    /// Whether its own watch token is the invoice's.
    func watches(_ hash: PaymentHash) -> Bool {
        guard case .watch(let own) = session.credentials else { return false }
        return own == hash
    }

    private var outboxLimit: Int {
        isTrusted ? hub.server.limits.outboxBytes : hub.server.limits.watchOutboxBytes
    }

    enum Sent: Equatable {
        case sent
        /// More waits than this client may have waiting.
        case overflow
        case broken
    }

    /// Writes whole frames through, or keeps them while the socket takes nothing.
    func send(_ frames: [UInt8]) -> Sent {
        guard !isBlocked else { return outbox.append(frames, limit: outboxLimit) == .kept ? .sent : .overflow }
        switch write(frames) {
        case .sent: return .sent
        case .blocked:
            becameBlocked()
            return .sent
        case .broken: return .broken
        }
    }

    /// Past what waits here.
    func write(_ frames: [UInt8]) -> RawWrite.Outcome {
        unsafe RawWrite.send(wsi, descriptor, frames)
    }

    func becameBlocked() {
        guard !isBlocked else { return }
        isBlocked = true
        for membership in memberships { membership.topic.setBlocked(membership.index, true) }
    }

    /// Notes bytes of a data frame and how many of it are still to come.
    func received(_ count: Int, remaining: Int) {
        if !isInFrame {
            let length = count + remaining
            // The shortest header with a mask (RFC 6455 section 5.2).
            needed &+= UInt32(truncatingIfNeeded: length + (length < 126 ? 6 : length < 65536 ? 8 : 14))
        }
        isInFrame = remaining > 0
    }

    /// False if its frames came in fewer bytes than they have with masks. libwebsockets takes frames without them, which a
    /// server has to refuse (RFC 6455 section 5.1), and does not tell. Pings are not seen here and may hide some.
    var masksItsFrames: Bool {
        guard let taken = Socket.taken(descriptor) else { return true }
        return Int32(bitPattern: UInt32(truncatingIfNeeded: taken) &- needed) >= 0
    }

    /// Called every few seconds: how often in a row nothing was taken since.
    func stall() -> UInt8 {
        stalls = isBlocked ? min(stalls, 254) + 1 : 0
        return stalls
    }

    /// Forgets what waits, and says how much it was.
    func dropOutbox() -> Int { outbox.isEmpty ? 0 : outbox.take().count }

    /// The socket takes bytes again. False if the client has lost frames or its connection.
    func becameWritable() -> Bool {
        stalls = 0
        guard isBlocked else { return true }
        if !outbox.isEmpty {
            let waiting = outbox.take()
            switch write(waiting) {
            case .sent: break
            case .blocked: return true
            case .broken: return false
            }
        }
        for (place, membership) in memberships.enumerated() {
            switch membership.topic.catchUp(membership.index) {
            case .caughtUp: continue
            case .lost: return false
            case .blocked:
                for later in memberships.prefix(place) { later.topic.setBlocked(later.index, true) }
                return true
            }
        }
        isBlocked = false
        return true
    }

    // MARK: Topics

    func join(_ topic: Topic) {
        unsafe memberships.append(Membership(topic: topic, place: Int32(topic.add(wsi, descriptor, isBlocked: isBlocked))))
    }

    /// Returns the connection whose entry has moved, and where to.
    func leave(_ topic: Topic) -> (moved: OpaquePointer, index: Int)? {
        guard let place = memberships.firstIndex(where: { $0.topic === topic }) else { return nil }
        let index = memberships.remove(at: place).index
        guard let moved = unsafe topic.remove(index) else { return nil }
        return unsafe (moved, index)
    }

    func entryMoved(in topic: Topic, to index: Int) {
        guard let place = memberships.firstIndex(where: { $0.topic === topic }) else { return }
        memberships[place].place = Int32(index)
    }
}
