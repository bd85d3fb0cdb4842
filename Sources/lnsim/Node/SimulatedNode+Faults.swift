import Payments

/// What befalls a node from outside.
extension SimulatedNode {
    /// The process was restarted: the client's place and the links' mailboxes are gone, what is held comes back.
    mutating func restarted() -> [NodeOrder] {
        slot = .free
        var orders: [NodeOrder] = []
        for circuit in transits.keys.sorted() {
            switch transits[circuit]?.phase {
            case .inMailbox where awayChannels.contains(circuit.chanID): transits[circuit]?.phase = .waitingForLink
            case .inMailbox: orders += hold(circuit)
            case .leaving: orders.append(.finalise(circuit))
            default: break
            }
        }
        return orders
    }

    /// The channel's peer went away or came back.
    mutating func peerChanged(chanID: UInt64, isAway: Bool) -> [NodeOrder] {
        guard !isAway else {
            awayChannels.insert(chanID)
            return []
        }
        awayChannels.remove(chanID)
        var orders: [NodeOrder] = []
        for circuit in transits.keys.filter({ $0.chanID == chanID }).sorted() {
            switch transits[circuit]?.phase {
            case .inMailbox: orders.append(.deliver(circuit))
            case .waitingForLink: orders += hold(circuit)
            default: break
            }
        }
        return orders
    }

    /// The channel was force-closed while the HTLC was in it. `nil` if there is nothing left to put on chain.
    ///
    /// An answer that is still in the mailbox is worth nothing now: only a SETTLE of the new offer claims the HTLC.
    mutating func wentOnChain(_ circuit: Circuit) -> [NodeOrder]? {
        guard var transit = transits[circuit] else { return nil }
        switch transit.phase {
        case .leaving, .heldOnChain: return nil
        case .held, .inMailbox, .waitingForLink: break
        }
        transit.phase = .heldOnChain
        transit.autoFailHeight = Int32(clamping: transit.htlc.incomingExpiry)
        transits[circuit] = transit
        return offer(transit)
    }

    /// The node gives up a held HTLC by itself. `nil` if it does not hold it off chain.
    mutating func autoFailed(_ circuit: Circuit) -> [NodeOrder]? {
        guard transits[circuit]?.phase == .held else { return nil }
        counts.autoFailed += 1
        return resolve(circuit, .fail(code: FailureCode.temporaryChannelFailure))
    }

    /// Offers an HTLC once more in the same stream, even one that has ended. `nil` if it is not known.
    mutating func replayed(_ circuit: Circuit) -> [NodeOrder]? {
        if let transit = transits[circuit] { return transit.isOffered ? offer(transit) : hold(circuit) }
        guard let transit = ended[circuit] else { return nil }
        transits[circuit] = transit
        return hold(circuit)
    }

    /// Holds an HTLC once more, unless its time has run out meanwhile.
    private mutating func hold(_ circuit: Circuit) -> [NodeOrder] {
        guard let transit = transits[circuit] else { return [] }
        transits[circuit]?.phase = .held
        guard Int64(transit.autoFailHeight) <= Int64(height) else { return offer(transit) }
        return autoFailed(circuit) ?? []
    }

    private func offer(_ transit: Transit) -> [NodeOrder] {
        guard case .client(let session) = slot else { return [] }
        return offers(to: session, of: [transit])
    }
}
