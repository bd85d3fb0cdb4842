/// Attempts that wait for one of the places that may be taken at once.
///
/// Nobody takes the others' places away. An account may have one more while it holds fewer than are free: alone it comes to half of
/// them, several share, and whoever comes next finds some. Within an account the same holds of its endpoints. Where there are not
/// enough, accounts take turns, and an account's endpoints do. Attempts that may hang have only some of the places.
public struct AttemptQueue: Sendable {
    public struct Entry: Equatable, Sendable {
        public var account: Int64
        public var endpoint: String
        public var attempt: DeliveryAttempt
        /// The endpoint did not take the last one, or took its time.
        public var isDoubtful: Bool

        public init(account: Int64, endpoint: String, attempt: DeliveryAttempt, isDoubtful: Bool) {
            self.account = account
            self.endpoint = endpoint
            self.attempt = attempt
            self.isDoubtful = isDoubtful
        }
    }

    private struct Held {
        var all = 0
        var doubtful = 0

        mutating func add(_ count: Int, isDoubtful: Bool) {
            all += count
            if isDoubtful { doubtful += count }
        }
    }

    /// Who holds how many places.
    private struct Tally {
        let places: Int
        let doubtfulPlaces: Int
        var held = Held()
        var byAccount: [Int64: Held] = [:]
        var byEndpoint: [String: Held] = [:]

        mutating func count(_ entry: Entry, _ change: Int) {
            held.add(change, isDoubtful: entry.isDoubtful)
            byAccount[entry.account, default: Held()].add(change, isDoubtful: entry.isDoubtful)
            byEndpoint[entry.endpoint, default: Held()].add(change, isDoubtful: entry.isDoubtful)
            if byAccount[entry.account]?.all == 0 { byAccount[entry.account] = nil }
            if byEndpoint[entry.endpoint]?.all == 0 { byEndpoint[entry.endpoint] = nil }
        }
    }

    private typealias Line = Rotation<Int64, Rotation<String, [DeliveryAttempt]>>

    private var sound = Line()
    private var doubtful = Line()
    private var tally: Tally

    public init(places: Int, doubtful: Int) {
        tally = Tally(places: places, doubtfulPlaces: doubtful)
    }

    /// Places that are taken.
    public var underWay: Int { tally.held.all }

    public mutating func add(_ entry: Entry) {
        func put(into line: inout Line) {
            line.change(entry.account, default: Rotation()) { $0.change(entry.endpoint, default: []) { $0.append(entry.attempt) } }
        }
        if entry.isDoubtful { put(into: &doubtful) } else { put(into: &sound) }
    }

    /// The next that may begin. It takes a place until it is told to have ended.
    public mutating func next() -> Entry? {
        let entry = Self.take(from: &doubtful, areDoubtful: true, tally) ?? Self.take(from: &sound, areDoubtful: false, tally)
        if let entry { tally.count(entry, 1) }
        return entry
    }

    public mutating func ended(_ entry: Entry) { tally.count(entry, -1) }

    /// Forgets what waits. What is under way still holds its places.
    public mutating func clear() {
        sound = Line()
        doubtful = Line()
    }

    private static func take(from line: inout Line, areDoubtful: Bool, _ tally: Tally) -> Entry? {
        let free = tally.places - tally.held.all
        let freeDoubtful = tally.doubtfulPlaces - tally.held.doubtful
        guard !line.isEmpty, free > 0, !areDoubtful || freeDoubtful > 0 else { return nil }
        return line.serve { account, endpoints in
            let mine = tally.byAccount[account] ?? Held()
            let room = Self.room(free, mine.all), roomDoubtful = Self.room(freeDoubtful, mine.doubtful)
            guard room > 0, !areDoubtful || roomDoubtful > 0 else { return nil }
            let entry: Entry? = endpoints.serve { endpoint, attempts in
                let its = tally.byEndpoint[endpoint] ?? Held()
                guard its.all < room, !areDoubtful || its.doubtful < roomDoubtful else { return nil }
                let attempt = attempts.removeFirst()
                return (Entry(account: account, endpoint: endpoint, attempt: attempt, isDoubtful: areDoubtful), attempts.isEmpty)
            }
            return entry.map { ($0, endpoints.isEmpty) }
        }
    }

    /// How many more somebody could have before it holds as many as are free.
    private static func room(_ free: Int, _ holds: Int) -> Int { max(0, free - holds + 1) / 2 }
}
