internal import Payments

/// A command whose answer has to come from somewhere else.
struct PendingCommand: Equatable {
    enum Kind: Equatable {
        case connect
        case refresh
        case subscribe(Channel, token: ClientCommand.Position?)
        /// `epoch` is what the client takes for the stream's; it is compared with the first page.
        case recovery(Channel, after: Int64, epoch: String?, account: Int64?)
        /// `hasLost`: the client has asked for more than there is.
        case snapshot(Channel, account: Int64?, hasLost: Bool)
        /// `since` is the place that the client knows; `isPage` says that events were asked for, not the position alone.
        case history(since: ClientCommand.Position?, isPage: Bool)
        case call
        /// It came before the connection's own right was known; it has no request.
        case early(ClientCommand.Method)
    }

    var request: UInt32
    var id: UInt32
    var kind: Kind
}

extension PendingCommand.Kind {
    /// The channel that is being subscribed to.
    var subscription: Channel? {
        switch self {
        case .subscribe(let channel, _), .recovery(let channel, _, _, _), .snapshot(let channel, _, _): channel
        case .connect, .refresh, .history, .call, .early: nil
        }
    }

    func subscribes(to channel: Channel) -> Bool { subscription == channel }
}
