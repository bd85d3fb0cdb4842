internal import Payments

/// The channels that one client has open. Nearly every client has one that everybody knows, or the invoice that its token
/// is for: those are bits, and the rest takes memory only where there is one.
struct OpenChannels: Equatable, Sendable {
    private static let own: UInt8 = 1, events: UInt8 = 2, htlcs: UInt8 = 4, nodes: UInt8 = 8

    private var others: [PaymentHash] = []
    private var bits: UInt8 = 0

    var count: Int { bits.nonzeroBitCount + others.count }

    // `own` is the invoice of the client's own watch token, which never changes once there is one.

    func all(own: PaymentHash?) -> [Channel] {
        var channels: [Channel] = []
        if bits & Self.own != 0, let own { channels.append(.invoice(own)) }
        for channel in [Channel.events, .htlcs, .nodes] where bits & bit(of: channel, own: own) != 0 { channels.append(channel) }
        return channels + others.map { .invoice($0) }
    }

    func contains(_ channel: Channel, own: PaymentHash?) -> Bool {
        if bits & bit(of: channel, own: own) != 0 { return true }
        guard case .invoice(let hash) = channel else { return false }
        return others.contains(hash)
    }

    mutating func insert(_ channel: Channel, own: PaymentHash?) {
        guard !contains(channel, own: own) else { return }
        let bit = bit(of: channel, own: own)
        bits |= bit
        if bit == 0, case .invoice(let hash) = channel { others.append(hash) }
    }

    /// False if it was not there.
    @discardableResult
    mutating func remove(_ channel: Channel, own: PaymentHash?) -> Bool {
        guard contains(channel, own: own) else { return false }
        bits &= ~bit(of: channel, own: own)
        if case .invoice(let hash) = channel { others.removeAll { $0 == hash } }
        return true
    }

    private func bit(of channel: Channel, own: PaymentHash?) -> UInt8 {
        switch channel {
        case .invoice(let hash): hash == own ? Self.own : 0
        case .events: Self.events
        case .htlcs: Self.htlcs
        case .nodes: Self.nodes
        }
    }
}
