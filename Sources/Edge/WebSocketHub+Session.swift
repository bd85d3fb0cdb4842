internal import Fanout
internal import Loop
internal import Payments
internal import Wire

/// Carries out what the clients' sessions order.
extension WebSocketHub {
    func makeSession() -> ClientSession {
        ClientSession(settings: settings, client: .random(in: 0 ... .max), now: Int64(server.seconds))
    }

    func message(_ client: WebSocketClient, _ bytes: [UInt8]) {
        perform(client.session.received(bytes, now: Int64(server.seconds)), for: client)
    }

    func timePassed(_ client: WebSocketClient) {
        guard !client.isClosing else { return }
        perform(client.session.timePassed(now: Int64(server.seconds)), for: client)
    }

    /// Whether the client may still be here.
    func review(_ client: WebSocketClient) {
        guard !client.isClosing else { return }
        perform(client.session.reviewed { source.standing(of: $0) }, for: client)
    }

    /// `seen` is the offset up to which the orders' events reach; what comes after it is still to be told at a join.
    /// An answer that is given at once waits until the orders before it are carried out.
    private func perform(_ orders: [SessionOrder], for client: WebSocketClient, seen: Int64? = nil) {
        for order in orders { work.append(.init(client: client, order: order, seen: seen)) }
        guard !isWorking else { return }
        isWorking = true
        while done < work.count {
            let item = work[done]
            done += 1
            if !item.client.isClosing { obey(item.order, item.client, item.seen) }
        }
        work.removeAll(keepingCapacity: work.capacity < 1024)
        done = 0
        isWorking = false
    }

    /// The client is held until it is answered, which it always is: a weak reference would cost each client memory and
    /// every later retain time.
    private func obey(_ order: SessionOrder, _ client: WebSocketClient, _ seen: Int64?) {
        switch order {
        case .send(let text): send(client, Frame.text(text))
        case .authenticate(let token, let request):
            source.authenticate(token) { [self] outcome in
                guard !client.isClosing else { return }
                perform(client.session.authenticated(outcome, for: request), for: client)
            }
        case .trust: client.isTrusted = true
        case .load(let channel, let account, let after, let limit, let request):
            load(channel, account, after, limit, request, client)
        case .join(let channel, let account): join(client, channel, account, seen: seen ?? 0)
        case .leave(let channel): leave(client, channel)
        case .call(let method, let decision, let credentials, let request):
            source.call(method, decision, by: credentials) { [self] result in
                guard !client.isClosing else { return }
                perform(client.session.answered(result, for: request), for: client)
            }
        case .denied(let method, let decision, let credentials): source.denied(method, decision, by: credentials)
        case .count(.recovered): counters.recovered += 1
        case .count(.unrecoverable): counters.unrecoverable += 1
        case .count(.unavailable): counters.unavailable += 1
        case .close(let disconnect): dismiss(client, code: disconnect.code, reason: disconnect.reason)
        }
    }

    private func load(_ channel: Channel, _ account: Int64?, _ after: Int64, _ limit: Int, _ request: UInt32, _ client: WebSocketClient) {
        source.load(channel, account: account, after: after, limit: limit) { [self] history in
            guard !client.isClosing else { return }
            loaded(history, limit, request, client)
        }
    }

    private func loaded(_ history: LoadedHistory?, _ limit: Int, _ request: UInt32, _ client: WebSocketClient) {
        let orders = client.session.loaded(
            history?.events, isComplete: (history?.events.count ?? 0) < max(limit, 1), first: history?.first ?? 0,
            head: history?.head ?? 0, epoch: history?.epoch ?? "", snapshot: history?.snapshot, publications: history?.publications,
            for: request)
        perform(orders, for: client, seen: history?.head)
    }

    // MARK: Joining without gap or double

    /// The client has been told everything up to `seen`. The store can be ahead of what was published here, and behind it.
    private func join(_ client: WebSocketClient, _ channel: Channel, _ account: Int64?, seen: Int64) {
        guard let head = server.recent.newest, head >= seen else {
            joining.append(.init(client: client, channel: channel, account: account, seen: seen))
            return
        }
        guard let missed = server.recent.events(after: seen, most: .max, where: { channel.carries($0, account) }) else {
            // Longer away than memory reaches: it comes back and recovers.
            return dismiss(client, code: Disconnect.internalError.code, reason: Disconnect.internalError.reason)
        }
        for event in missed { send(client, Frame.text(Push.publication(event, on: channel))) }
        if !client.isClosing { listen(client, channel, account) }
    }

    /// Lets those in who have seen everything before this offset. Called before an event is published.
    func admit(before offset: Int64) {
        guard !joining.isEmpty else { return }
        let ready = joining.filter { $0.seen < offset }
        joining.removeAll { $0.seen < offset }
        for entry in ready where !entry.client.isClosing { listen(entry.client, entry.channel, entry.account) }
    }

    private func listen(_ client: WebSocketClient, _ channel: Channel, _ account: Int64?) {
        switch channel {
        case .invoice(let hash): join(client, invoice: hash, account: account)
        case .events, .htlcs, .nodes: if let account { join(client, TopicName(channel: channel, account: account)) }
        }
    }

    private func leave(_ client: WebSocketClient, _ channel: Channel) {
        joining.removeAll { $0.client === client && $0.channel == channel }
        if case .invoice(let hash) = channel { return leave(client, invoice: hash) }
        for membership in client.memberships where membership.topic.name.channel == channel { leave(client, membership.topic.name) }
    }

    func sessionEnded(_ client: WebSocketClient) {
        if !joining.isEmpty { joining.removeAll { $0.client === client } }
    }
}

extension Channel {
    /// Whether an event is for a subscriber of this account; `nil` is a watch token, which sees one invoice.
    func carries(_ event: PublishedEvent, _ account: Int64?) -> Bool {
        if let account, event.account != account { return false }
        if case .invoice(let hash) = self { return event.paymentHash == hash }
        return types?.contains(event.type) ?? true
    }
}
