internal import CLWS
internal import Fanout
internal import Loop
internal import Payments
internal import Wire

/// Events on their way to those who listen.
extension WebSocketHub {
    /// How many events are looked at ahead.
    static let foresight = 16
    static let shared = [Channel.events, .htlcs, .nodes]

    /// Invoices' own listeners first: they are few and wait for it.
    func publish(_ event: PublishedEvent) {
        admit(before: event.offset)
        if let hash = event.paymentHash, !listeners.isEmpty {
            let holder = listeners.holder(of: hash), others = listeners.others(of: hash)
            if holder != nil || !others.isEmpty {
                let frame = frame(of: event, on: .invoice(hash))
                if let holder { tell(holder, frame) }
                for listener in others where listener.account == nil || listener.account == event.account { tell(listener.client, frame) }
                spare = frame
            }
        }
        guard !topics.isEmpty else { return }
        for channel in Self.shared where channel.types?.contains(event.type) ?? true {
            guard let topic = topics[TopicName(channel: channel, account: event.account)] else { continue }
            let frame = frame(of: event, on: channel)
            // A burst of one turn that is larger than the log would pass those who read.
            while !topic.hasRoom(for: frame.count), dirty.contains(where: { $0 === topic }) { writeSlice() }
            if topic.append(frame) { dirty.append(topic) }
            spare = frame
        }
        scheduleSlice()
    }

    /// Past the client's own memory, unless something is wrong with it. None that is closing stands among the listeners.
    private func tell(_ client: WebSocketClient, _ frame: [UInt8]) {
        guard !client.isBlocked else { return send(client, frame) }
        switch client.write(frame) {
        case .sent: break
        case .blocked: client.becameBlocked()
        case .broken: return broke(client)
        }
        counters.framesOut += 1
    }

    /// Written into the memory of the frame before, if that is not in use any more.
    private func frame(of event: PublishedEvent, on channel: Channel) -> [UInt8] {
        var bytes: [UInt8] = []
        swap(&bytes, &spare)
        Frame.text(into: &bytes) { Push.publication(event, on: channel, to: &$0) }
        return bytes
    }

    /// Touches what the next events will need: all at once, so that memory is waited for once and not for each of them.
    func expect(_ events: borrowing Span<PublishedEvent>) {
        guard events.count > 1, !listeners.isEmpty else { return }
        var marks = InlineArray<16, UInt64?>(repeating: nil)
        for index in events.indices { if let hash = events[index].paymentHash { marks[index] = listeners.expect(hash) } }
        var expected = unsafe InlineArray<16, Unmanaged<WebSocketClient>?>(repeating: nil)
        for index in events.indices { if let mark = marks[index] { unsafe expected[index] = listeners.expectHolder(mark) } }
        // Nothing but this, so that the processor asks for all of them before it has the first.
        for index in events.indices {
            if let client = unsafe expected[index] { unsafe busy &+= lws_partial_buffered(WebSocketClient.connection(of: client)) }
        }
    }

    private func scheduleSlice() {
        guard !dirty.isEmpty else { return }
        turnEnd.run { [self] in
            writeSlice()
            scheduleSlice()
        }
    }

    /// One slice of the first topic that has something to write; the next turn goes on.
    private func writeSlice() {
        guard !dirty.isEmpty else { return }
        let topic = dirty.removeFirst()
        var blocked: [OpaquePointer] = unsafe []
        var failed: [OpaquePointer] = unsafe []
        let hasMore = unsafe topic.writeSlice(blocked: &blocked, failed: &failed)
        for unsafe wsi in unsafe blocked { unsafe Self.client(of: wsi)?.becameBlocked() }
        if hasMore {
            // Topics take turns, so that a large one does not starve a small one.
            dirty.append(topic)
        } else {
            unsafe failed += topic.endPass()
        }
        for unsafe wsi in unsafe failed { if let client = unsafe Self.client(of: wsi) { dismissSlow(client) } }
    }
}
