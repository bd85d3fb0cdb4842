public import Payments

/// One client's side of the Centrifuge protocol: facts in, orders out.
///
/// A subscription that recovers is answered with what it missed, page by page, and only then joined to the channel, in
/// the turn in which nothing is missing any more: so nothing is told twice and nothing is left out.
public struct ClientSession: Sendable {
    public enum Authentication: Equatable, Sendable {
        case known(Credentials)
        /// It was good once.
        case expired
        case unknown
        case unavailable
    }

    private enum Phase: Equatable { case new, connecting, connected, closed }

    /// A command whose answer has to come from somewhere else.
    fileprivate struct Pending: Equatable {
        enum Kind: Equatable {
            case connect
            case refresh
            case subscribe(Channel, token: ClientCommand.Position?)
            /// `epoch` is what the client takes for the stream's; it is compared with the first page.
            case recovery(Channel, after: Int64, epoch: String?, account: Int64?)
            /// `hasLost`: the client has asked for more than there is.
            case snapshot(Channel, account: Int64?, hasLost: Bool)
            case history(Channel, epoch: String?)
            case call
        }
        var request: UInt32
        var id: UInt32
        var kind: Kind
    }

    private let settings: SessionSettings
    private let client: String
    private var phase = Phase.new
    private var credentials: Credentials?
    /// What is subscribed to or about to be.
    public private(set) var channels = SmallArray<Channel>()
    /// By whose right a channel is open, where a token of its own was shown for it.
    private var rights: [Channel: Credentials] = [:]
    private var pending: [Pending] = []
    private var nextRequest: UInt32 = 0
    private var heardAt: Int32
    private var pingedAt: Int32?
    /// How many commands it may still send at once; below zero it is refused, and far below closed.
    private var commandsLeft: Int16

    /// `client` is the id that the client is told; `now` counts seconds.
    public init(settings: SessionSettings, client: String, now: Int64) {
        self.settings = settings
        self.client = client
        heardAt = Int32(truncatingIfNeeded: now)
        commandsLeft = Int16(settings.commandsPerSecond / 5 * 10)
    }

    // MARK: From the client

    /// One text message arrived.
    public mutating func received(_ message: [UInt8], now: Int64) -> [SessionOrder] {
        guard phase != .closed else { return [] }
        commandsLeft = Int16(min(Int64(commandsLeft) + min(now - Int64(heardAt), 10) * Int64(commandsPerSecond), Int64(commandsPerSecond) * 10))
        heardAt = Int32(truncatingIfNeeded: now)
        pingedAt = nil
        guard let commands = ClientCommand.decode(message) else { return close(.badRequest) }
        guard commands.count + pending.count <= settings.maximumCommands else { return close(.tooManyRequests) }
        var orders: [SessionOrder] = []
        for command in commands where phase != .closed {
            commandsLeft -= 1
            if commandsLeft >= 0 {
                obey(command, &orders)
            } else if Int(commandsLeft) < -10 * commandsPerSecond {
                orders += close(.tooManyRequests)
            } else if command.id > 0 {
                refuse(command.id, .tooManyRequests, &orders)
            }
        }
        return orders
    }

    private mutating func obey(_ command: ClientCommand, _ orders: inout [SessionOrder]) {
        if case .pong = command.method { return }
        guard phase == .connected else {
            guard phase == .new, case .connect(let token) = command.method else { return orders += close(.badRequest) }
            guard let token else {
                phase = .connected
                return welcome(command.id, &orders)
            }
            phase = .connecting
            return orders.append(.authenticate(token: token, request: wait(command.id, .connect)))
        }
        switch command.method {
        case .connect: orders += close(.badRequest)
        case .subscribe(let name, let token, let recovery): subscribe(command.id, name, token, recovery, &orders)
        case .unsubscribe(let name): unsubscribe(command.id, name, &orders)
        case .history(let name, let limit, let since): history(command.id, name, limit, since, &orders)
        case .rpc(let method, let data): call(command.id, method, data, &orders)
        case .refresh(let token): orders.append(.authenticate(token: token, request: wait(command.id, .refresh)))
        case .ping: orders.append(.send(SessionReply.ponged(command.id)))
        case .unavailable: refuse(command.id, .notAvailable, &orders)
        case .pong: break
        }
    }

    private mutating func subscribe(
        _ id: UInt32, _ name: String, _ token: String?, _ recovery: ClientCommand.Position?, _ orders: inout [SessionOrder]
    ) {
        guard let channel = Channel(name) else { return refuse(id, .unknownChannel, &orders) }
        guard !channels.contains(channel) else { return refuse(id, .alreadySubscribed, &orders) }
        guard channels.count < limit else { return refuse(id, .limitExceeded, &orders) }
        if let token {
            channels.append(channel)
            return orders.append(.authenticate(token: token, request: wait(id, .subscribe(channel, token: recovery))))
        }
        guard let credentials, channel.admits(credentials) else { return refuse(id, .permissionDenied, &orders) }
        channels.append(channel)
        begin(id, channel, recovery, account: credentials.account, &orders)
    }

    /// Asks for what was missed, or for nothing but the present position.
    private mutating func begin(_ id: UInt32, _ channel: Channel, _ recovery: ClientCommand.Position?, account: Int64?, _ orders: inout [SessionOrder]) {
        guard let recovery else {
            let request = wait(id, .snapshot(channel, account: account, hasLost: false))
            return orders.append(.load(channel, account: account, after: .max, limit: 0, request: request))
        }
        let request = wait(id, .recovery(channel, after: recovery.offset, epoch: recovery.epoch, account: account))
        orders.append(.load(channel, account: account, after: recovery.offset, limit: settings.page, request: request))
    }

    private mutating func unsubscribe(_ id: UInt32, _ name: String, _ orders: inout [SessionOrder]) {
        guard let channel = Channel(name) else { return refuse(id, .unknownChannel, &orders) }
        if let index = channels.firstIndex(of: channel) {
            channels.remove(at: index)
            if !rights.isEmpty { rights[channel] = nil }
            pending.removeAll { $0.kind.subscribes(to: channel) }
            orders.append(.leave(channel))
        }
        orders.append(.send(SessionReply.unsubscribed(id)))
    }

    private mutating func history(_ id: UInt32, _ name: String, _ limit: Int64, _ since: ClientCommand.Position?, _ orders: inout [SessionOrder]) {
        guard let channel = Channel(name) else { return refuse(id, .unknownChannel, &orders) }
        // A subscription that still waits for its token proves nothing.
        guard let right = rights[channel] ?? credentials, channel.admits(right) else { return refuse(id, .permissionDenied, &orders) }
        let request = wait(id, .history(channel, epoch: since?.epoch))
        // Zero asks for the position alone; the protocol's -1, for all there is, gets a page.
        let count = limit < 0 ? settings.page : Int(min(limit, Int64(settings.page)))
        orders.append(.load(channel, account: right.account, after: since?.offset ?? 0, limit: count, request: request))
    }

    private mutating func call(_ id: UInt32, _ name: String, _ data: ClientCommand.Decision?, _ orders: inout [SessionOrder]) {
        guard let method = RemoteMethod(rawValue: name) else { return refuse(id, .methodNotFound, &orders) }
        guard let data else { return refuse(id, .badRequest, &orders) }
        let isOwnInvoice = method == .get && credentials == .watch(data.paymentHash)
        guard let credentials, isOwnInvoice || credentials.allows(method.scope) else { return refuse(id, .permissionDenied, &orders) }
        orders.append(.call(method, data, by: credentials, request: wait(id, .call)))
    }

    // MARK: Answers

    public mutating func authenticated(_ outcome: Authentication, for request: UInt32) -> [SessionOrder] {
        guard let waiting = take(request) else { return [] }
        var orders: [SessionOrder] = []
        switch (waiting.kind, outcome) {
        case (.connect, .known(let credentials)):
            let before = commandsPerSecond
            self.credentials = credentials
            commandsLeft += Int16((commandsPerSecond - before) * 10)
            phase = .connected
            if credentials.account != nil { orders.append(.trust) }
            welcome(waiting.id, &orders)
        case (.connect, .unknown): orders += close(.invalidToken)
        // It may connect again, with another one.
        case (.connect, .expired):
            phase = .new
            refuse(waiting.id, .tokenExpired, &orders)
        case (.connect, .unavailable): orders += close(.internalError)
        case (.refresh, .known(let credentials)) where credentials.account == self.credentials?.account:
            self.credentials = credentials
            orders.append(.send(SessionReply.refreshed(waiting.id)))
        // Its channels were opened with the rights of another account.
        case (.refresh, .known): refuse(waiting.id, .permissionDenied, &orders)
        case (.refresh, .expired): refuse(waiting.id, .tokenExpired, &orders)
        case (.refresh, .unknown): orders += close(.invalidToken)
        case (.refresh, .unavailable): refuse(waiting.id, .internalError, &orders)
        case (.subscribe(let channel, let recovery), .known(let credentials)) where channel.admits(credentials):
            rights[channel] = credentials
            begin(waiting.id, channel, recovery, account: credentials.account, &orders)
        case (.subscribe, .unknown): orders += close(.invalidToken)
        case (.subscribe(let channel, _), let outcome):
            channels.removeAll { $0 == channel }
            refuse(waiting.id, outcome == .unavailable ? .internalError : outcome == .expired ? .tokenExpired : .permissionDenied, &orders)
        case (.recovery, _), (.snapshot, _), (.history, _), (.call, _): break
        }
        return orders
    }

    /// What a load found. `head` is the stream's last offset; `first` is the oldest offset that is still kept, and
    /// `isComplete` says that nothing more stands between the events and the channel's next publication. `snapshot` is
    /// the present state of what the channel tells of. `nil` events mean that the store is away. `publications` are the
    /// same events where they have been encoded before.
    public mutating func loaded(
        _ events: [PublishedEvent]?, isComplete: Bool, first: Int64, head: Int64, epoch: String, snapshot: [UInt8]?,
        publications: Publications? = nil, for request: UInt32
    ) -> [SessionOrder] {
        guard let waiting = take(request) else { return [] }
        var orders: [SessionOrder] = []
        guard let events else {
            if case .recovery(_, _, let known, _) = waiting.kind {
                orders.append(.count(.unavailable))
                // The command was answered: the client can learn only from the connection's end that something is missing.
                if known == nil { return orders + close(.internalError) }
            }
            if let channel = waiting.kind.subscription {
                channels.removeAll { $0 == channel }
                rights[channel] = nil
            }
            refuse(waiting.id, .internalError, &orders)
            return orders
        }
        switch waiting.kind {
        case .snapshot(let channel, let account, let hasLost):
            let recovery = hasLost ? (wasRecovered: false, publications: Publications()) : nil
            orders.append(.send(SessionReply.subscribed(waiting.id, epoch: epoch, head: head, recovery: recovery, snapshot: snapshot)))
            orders.append(.join(channel, account: account))
        case .recovery(let channel, let after, let known, let account):
            recovered(waiting.id, channel, account, after, known, events, publications, isComplete, first, head, epoch, snapshot, &orders)
        case .history(_, let known):
            let isStale = known.map { !$0.isEmpty && $0 != epoch } ?? false
            orders.append(.send(isStale
                ? SessionReply.refused(waiting.id, CentrifugeError(code: 112, message: "unrecoverable position"))
                : SessionReply.history(waiting.id, epoch: epoch, head: head, events)))
        case .connect, .refresh, .subscribe, .call: break
        }
        return orders
    }

    private mutating func recovered(
        _ id: UInt32, _ channel: Channel, _ account: Int64?, _ after: Int64, _ known: String?, _ events: [PublishedEvent],
        _ publications: Publications?,
        _ isComplete: Bool, _ first: Int64, _ head: Int64, _ epoch: String, _ snapshot: [UInt8]?, _ orders: inout [SessionOrder]
    ) {
        if let known {
            let isPossible = known == epoch && after <= head && after + 1 >= first
            if !isPossible, snapshot == nil, case .invoice = channel {
                let request = wait(id, .snapshot(channel, account: account, hasLost: true))
                return orders.append(.load(channel, account: account, after: .max, limit: 0, request: request))
            }
            let recovery = (wasRecovered: isPossible, publications: isPossible ? publications ?? Publications(events) : Publications())
            let position = isPossible && !isComplete ? events.last?.offset ?? after : head
            orders.append(.count(isPossible ? .recovered : .unrecoverable))
            orders.append(.send(SessionReply.subscribed(id, epoch: epoch, head: position, recovery: recovery, snapshot: isPossible ? nil : snapshot)))
            guard isPossible else { return orders.append(.join(channel, account: account)) }
        } else {
            for event in events { orders.append(.send(Push.publication(event, on: channel))) }
        }
        guard !isComplete else { return orders.append(.join(channel, account: account)) }
        let next = events.last?.offset ?? after
        let request = wait(id, .recovery(channel, after: next, epoch: nil, account: account))
        orders.append(.load(channel, account: account, after: next, limit: settings.page, request: request))
    }

    public mutating func answered(_ result: Result<[UInt8], CentrifugeError>, for request: UInt32) -> [SessionOrder] {
        guard let waiting = take(request), phase == .connected else { return [] }
        switch result {
        case .success(let data): return [.send(SessionReply.called(waiting.id, data))]
        case .failure(let error): return [.send(SessionReply.refused(waiting.id, error))]
        }
    }

    // MARK: Time

    /// Ends the connection when a right has ended by which it or one of its channels is open. A client that may come back
    /// is then refused what it may not have any more.
    public mutating func reviewed(_ standing: (Credentials) -> Standing) -> [SessionOrder] {
        guard phase == .connected else { return [] }
        var worst = credentials.map(standing) ?? .valid
        for right in rights.values where worst != .revoked {
            let other = standing(right)
            if other != .valid { worst = other }
        }
        switch worst {
        case .valid: return []
        case .expired: return close(.expired)
        case .revoked: return close(.invalidToken)
        }
    }

    /// Called every few seconds.
    public mutating func timePassed(now: Int64) -> [SessionOrder] {
        switch phase {
        case .closed: return []
        case .new, .connecting: return now - Int64(heardAt) > settings.connectSeconds ? close(.stale) : []
        case .connected:
            if let pingedAt { return now - Int64(pingedAt) > settings.pongSeconds ? close(.noPong) : [] }
            guard now - Int64(heardAt) >= settings.pingSeconds - 5 else { return [] }
            pingedAt = Int32(truncatingIfNeeded: now)
            return [.send(SessionReply.ping)]
        }
    }

    // MARK: Parts

    /// Whether it has said who it is, or that it is nobody.
    public var isConnected: Bool { phase == .connected }

    private var commandsPerSecond: Int { credentials?.account == nil ? settings.commandsPerSecond / 5 : settings.commandsPerSecond }

    private var limit: Int { credentials?.account == nil ? settings.maximumWatchedChannels : settings.maximumChannels }

    private func welcome(_ id: UInt32, _ orders: inout [SessionOrder]) {
        orders.append(.send(SessionReply.connected(id, client: client, version: settings.version, ping: settings.pingSeconds)))
    }

    private func refuse(_ id: UInt32, _ error: CentrifugeError, _ orders: inout [SessionOrder]) {
        orders.append(.send(SessionReply.refused(id, error)))
    }

    private mutating func close(_ disconnect: Disconnect) -> [SessionOrder] {
        phase = .closed
        pending = []
        return [.close(disconnect)]
    }

    private mutating func wait(_ id: UInt32, _ kind: Pending.Kind) -> UInt32 {
        nextRequest &+= 1
        pending.append(Pending(request: nextRequest, id: id, kind: kind))
        return nextRequest
    }

    private mutating func take(_ request: UInt32) -> Pending? {
        guard phase != .closed, let index = pending.firstIndex(where: { $0.request == request }) else { return nil }
        // An array that is emptied keeps its memory, and most clients never wait again.
        if pending.count == 1 {
            defer { pending = [] }
            return pending[0]
        }
        return pending.remove(at: index)
    }
}

extension ClientSession.Pending.Kind {
    /// The channel that is being subscribed to.
    var subscription: Channel? {
        switch self {
        case .subscribe(let channel, _), .recovery(let channel, _, _, _), .snapshot(let channel, _, _): channel
        case .connect, .refresh, .history, .call: nil
        }
    }

    func subscribes(to channel: Channel) -> Bool { subscription == channel }
}
