public import Payments

/// What became of the questions that a session's orders ask.
extension ClientSession {
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
            obeyEarly(&orders)
        case (.connect, .unknown): orders += close(.invalidToken)
        // It may connect again, with another one; what it has sent behind this one goes with it.
        case (.connect, .expired): expired(waiting.id, &orders)
        case (.connect, .unavailable): orders += close(.internalError)
        case (.refresh, .known(let credentials)) where credentials.account == self.credentials?.account && keeps(credentials):
            self.credentials = credentials
            orders.append(.send(SessionReply.refreshed(waiting.id)))
        // Its channels were opened with the rights of another account, or with rights that these do not have.
        case (.refresh, .known): refuse(waiting.id, .permissionDenied, &orders)
        case (.refresh, .expired): refuse(waiting.id, .tokenExpired, &orders)
        case (.refresh, .unknown): orders += close(.invalidToken)
        case (.refresh, .unavailable): refuse(waiting.id, .internalError, &orders)
        case (.subscribe(let channel, let recovery), .known(let credentials)) where channel.admits(credentials):
            rights[channel] = credentials
            begin(waiting.id, channel, recovery, account: credentials.account, &orders)
        case (.subscribe, .unknown): orders += close(.invalidToken)
        case (.subscribe(let channel, _), let outcome):
            dismiss(channel)
            refuse(waiting.id, outcome == .unavailable ? .internalError : outcome == .expired ? .tokenExpired : .permissionDenied, &orders)
        case (.recovery, _), (.snapshot, _), (.history, _), (.call, _), (.early, _): break
        }
        return orders
    }

    /// Whether every channel that is open by the connection's right may be open by this one. A watch token's connection stays
    /// with its invoice.
    private func keeps(_ credentials: Credentials) -> Bool {
        guard self.credentials?.watched == nil || self.credentials == credentials else { return false }
        return channels.allSatisfy { rights[$0] != nil || $0.admits(credentials) }
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
                dismiss(channel)
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
        case .history(let since, let isPage):
            let isThere = since.map { place in
                let isKept = !isPage || place.offset == 0 || place.offset + 1 >= first
                return (place.epoch.isEmpty || place.epoch == epoch) && place.offset <= head && isKept
            } ?? true
            orders.append(.send(isThere
                ? SessionReply.history(waiting.id, epoch: epoch, head: head, publications ?? Publications(events))
                : SessionReply.refused(waiting.id, .unrecoverablePosition)))
        case .connect, .refresh, .subscribe, .call, .early: break
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
}
