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

    enum Phase: Equatable { case new, connecting, connected, closed }

    // Tens of thousands of these lie in memory: what is small stands where what is before it ends oddly. What is asked for
    // at every event comes first.
    public internal(set) var credentials: Credentials?
    var phase = Phase.new
    /// Whether the newest ping, of `pingedAt`, waits for its answer.
    private var isPinged = false
    private var pingedAt: Int32 = 0
    private var heardAt: Int32
    /// How long the messages were that came while the connect command waits for its answer.
    private var earlyBytes: Int32 = 0
    private let client: UInt64
    let settings: SessionSettings
    private var open = OpenChannels()
    /// How many commands it may still send at once; below zero it is refused, and far below closed.
    var commandsLeft: Int16
    private var nextRequest: UInt32 = 0
    /// By whose right a channel is open, where a token of its own was shown for it.
    var rights: [Channel: Credentials] = [:]
    private var pending: [PendingCommand] = []

    /// `client` is the id that the client is told, in hexadecimal digits; `now` counts seconds.
    public init(settings: SessionSettings, client: UInt64, now: Int64) {
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
        isPinged = false
        guard let commands = ClientCommand.decode(message) else { return close(.badRequest) }
        guard commands.count + pending.count <= settings.maximumCommands else { return close(.tooManyRequests) }
        var orders: [SessionOrder] = []
        for command in commands where phase != .closed { hear(command, &orders) }
        if phase == .connecting {
            earlyBytes += Int32(clamping: message.count)
            if earlyBytes > settings.maximumEarlyBytes { orders += close(.tooManyRequests) }
        }
        return orders
    }

    /// Obeys a command if the client may send so many. What comes behind the connect command waits for its answer.
    private mutating func hear(_ command: ClientCommand, _ orders: inout [SessionOrder]) {
        if phase == .connecting, command.id > 0 { return pending.append(PendingCommand(request: 0, id: command.id, kind: .early(command.method))) }
        commandsLeft -= 1
        if commandsLeft >= 0 {
            obey(command, &orders)
        } else if Int(commandsLeft) < -10 * commandsPerSecond {
            orders += close(.tooManyRequests)
        } else if command.id > 0 {
            refuse(command.id, .tooManyRequests, &orders)
        }
    }

    /// The client is connected: what it has sent since it asked for that is next, in its order.
    mutating func obeyEarly(_ orders: inout [SessionOrder]) {
        for command in takeEarly() where phase != .closed { hear(command, &orders) }
    }

    /// The connect command is refused, and with it what came behind it.
    mutating func expired(_ id: UInt32, _ orders: inout [SessionOrder]) {
        phase = .new
        refuse(id, .tokenExpired, &orders)
        for command in takeEarly() { refuse(command.id, .tokenExpired, &orders) }
    }

    private mutating func obey(_ command: ClientCommand, _ orders: inout [SessionOrder]) {
        guard phase == .connected else {
            // A pong too: nothing was asked, and whoever only says this would never be found stale.
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
        guard !open.contains(channel, own: credentials?.watched) else { return refuse(id, .alreadySubscribed, &orders) }
        guard open.count < limit else { return refuse(id, .limitExceeded, &orders) }
        if let token {
            admit(channel)
            return orders.append(.authenticate(token: token, request: wait(id, .subscribe(channel, token: recovery))))
        }
        guard let credentials, channel.admits(credentials) else { return refuse(id, .permissionDenied, &orders) }
        admit(channel)
        begin(id, channel, recovery, account: credentials.account, &orders)
    }

    /// Asks for what was missed, or for nothing but the present position.
    mutating func begin(_ id: UInt32, _ channel: Channel, _ recovery: ClientCommand.Position?, account: Int64?, _ orders: inout [SessionOrder]) {
        guard let recovery else {
            let request = wait(id, .snapshot(channel, account: account, hasLost: false))
            return orders.append(.load(channel, account: account, after: .max, limit: 0, request: request))
        }
        let request = wait(id, .recovery(channel, after: recovery.offset, epoch: recovery.epoch, account: account))
        orders.append(.load(channel, account: account, after: recovery.offset, limit: settings.page, request: request))
    }

    private mutating func unsubscribe(_ id: UInt32, _ name: String, _ orders: inout [SessionOrder]) {
        guard let channel = Channel(name) else { return refuse(id, .unknownChannel, &orders) }
        if dismiss(channel) {
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
        let request = wait(id, .history(since: since, isPage: limit != 0))
        // Zero asks for the position alone; the protocol's -1, for all there is, gets a page.
        let count = limit < 0 ? settings.page : Int(min(limit, Int64(settings.page)))
        orders.append(.load(channel, account: right.account, after: since?.offset ?? 0, limit: count, request: request))
    }

    private mutating func call(_ id: UInt32, _ name: String, _ data: ClientCommand.Decision?, _ orders: inout [SessionOrder]) {
        guard let method = RemoteMethod(rawValue: name) else { return refuse(id, .methodNotFound, &orders) }
        guard let data else { return refuse(id, .badRequest, &orders) }
        let isOwnInvoice = method == .get && credentials == .watch(data.paymentHash)
        guard let credentials, isOwnInvoice || credentials.allows(method.scope) else {
            if let credentials { orders.append(.denied(method, data, by: credentials)) }
            return refuse(id, .permissionDenied, &orders)
        }
        orders.append(.call(method, data, by: credentials, request: wait(id, .call)))
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
            if isPinged { return now - Int64(pingedAt) > settings.pongSeconds ? close(.noPong) : [] }
            guard now - Int64(heardAt) >= settings.pingSeconds - 5 else { return [] }
            isPinged = true
            pingedAt = Int32(truncatingIfNeeded: now)
            return [.send(SessionReply.ping)]
        }
    }

    // MARK: Parts

    /// What is subscribed to or about to be.
    public var channels: [Channel] { open.all(own: credentials?.watched) }

    private mutating func admit(_ channel: Channel) { open.insert(channel, own: credentials?.watched) }

    @discardableResult
    mutating func dismiss(_ channel: Channel) -> Bool { open.remove(channel, own: credentials?.watched) }

    /// Whether it has said who it is, or that it is nobody.
    public var isConnected: Bool { phase == .connected }

    var commandsPerSecond: Int { credentials?.account == nil ? settings.commandsPerSecond / 5 : settings.commandsPerSecond }

    private var limit: Int { credentials?.account == nil ? settings.maximumWatchedChannels : settings.maximumChannels }

    func welcome(_ id: UInt32, _ orders: inout [SessionOrder]) {
        orders.append(.send(SessionReply.connected(id, client: String(client, radix: 16), version: settings.version, ping: settings.pingSeconds)))
    }

    func refuse(_ id: UInt32, _ error: CentrifugeError, _ orders: inout [SessionOrder]) {
        orders.append(.send(SessionReply.refused(id, error)))
    }

    mutating func close(_ disconnect: Disconnect) -> [SessionOrder] {
        phase = .closed
        pending = []
        return [.close(disconnect)]
    }

    mutating func wait(_ id: UInt32, _ kind: PendingCommand.Kind) -> UInt32 {
        nextRequest &+= 1
        pending.append(PendingCommand(request: nextRequest, id: id, kind: kind))
        return nextRequest
    }

    private mutating func takeEarly() -> [ClientCommand] {
        let early = pending.compactMap { command -> ClientCommand? in
            guard case .early(let method) = command.kind else { return nil }
            return ClientCommand(id: command.id, method: method)
        }
        pending = []
        earlyBytes = 0
        return early
    }

    mutating func take(_ request: UInt32) -> PendingCommand? {
        guard phase != .closed, let index = pending.firstIndex(where: { $0.request == request }) else { return nil }
        // An array that is emptied keeps its memory, and most clients never wait again.
        if pending.count == 1 {
            defer { pending = [] }
            return pending[0]
        }
        return pending.remove(at: index)
    }
}
