/// What a ``ClientSession`` wants done.
public enum SessionOrder: Equatable, Sendable {
    /// One text message.
    case send([UInt8])
    /// Find out who holds the token; the answer goes to ``ClientSession/authenticated(_:for:)``.
    case authenticate(token: String, request: UInt32)
    /// The client has shown a key: it may have more waiting than others.
    case trust
    /// Read what came after the offset; the answer goes to ``ClientSession/loaded(_:head:epoch:for:)``.
    case load(Channel, account: Int64?, after: Int64, limit: Int, request: UInt32)
    /// From now on the channel's publications go to this client. Carried out in the same turn as what stands before it.
    case join(Channel, account: Int64?)
    case leave(Channel)
    /// The answer goes to ``ClientSession/answered(_:for:)``.
    case call(RemoteMethod, ClientCommand.Decision, by: Credentials, request: UInt32)
    /// Notes how a recovery went; nobody is told.
    case count(Recovery)
    /// These credentials have asked for what they may not have; the client is told already.
    case denied(RemoteMethod, ClientCommand.Decision, by: Credentials)
    case close(Disconnect)
}

/// What became of the wish to hear what was missed.
public enum Recovery: Equatable, Sendable {
    case recovered
    /// Another epoch, or an offset that is not kept any more or lies in the future.
    case unrecoverable
    /// The store is away.
    case unavailable
}

/// The `rpc` methods.
public enum RemoteMethod: String, Equatable, Sendable {
    case get = "invoice.get"
    case settle = "invoice.settle"
    case cancel = "invoice.cancel"

    public var scope: Scope { self == .get ? .invoicesRead : .invoicesSettle }
}
