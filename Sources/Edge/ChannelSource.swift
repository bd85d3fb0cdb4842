public import Loop
public import Payments
public import Wire

/// What stands behind the WebSocket channels. Every question is answered exactly once, now or later.
@LoopActor
public protocol ChannelSource: AnyObject {
    /// Whose token is it?
    func authenticate(_ token: String, _ done: @escaping @LoopActor (ClientSession.Authentication) -> Void)

    /// Reads a channel's events after an offset, at most `limit` of them, in order. A `limit` of zero asks for position
    /// and snapshot only; only then a snapshot has to be given. `nil`: the store is away.
    func load(_ channel: Channel, account: Int64?, after: Int64, limit: Int, _ done: @escaping @LoopActor (LoadedHistory?) -> Void)

    /// What has become of credentials that were known. Asked every few seconds for each client, so it is not waited for.
    func standing(of credentials: Credentials) -> Standing

    /// Carries out a method; the answer is the invoice's JSON object.
    func call(
        _ method: RemoteMethod, _ decision: ClientCommand.Decision, by credentials: Credentials,
        _ done: @escaping @LoopActor (Result<[UInt8], CentrifugeError>) -> Void)

    /// The client was refused the method, which its credentials do not allow.
    func denied(_ method: RemoteMethod, _ decision: ClientCommand.Decision, by credentials: Credentials)
}

/// A part of the stream as it stood at one moment.
public struct LoadedHistory: Equatable, Sendable {
    public var events: [PublishedEvent]
    /// The stream's last offset at that moment.
    public var head: Int64
    /// The oldest offset that is still kept.
    public var first: Int64
    public var epoch: String
    /// JSON of the present state of what the channel tells of, if it tells of one thing.
    public var snapshot: [UInt8]?
    /// The events as a reply holds them, if somebody has encoded them.
    public var publications: Publications?

    public init(
        events: [PublishedEvent], head: Int64, first: Int64, epoch: String, snapshot: [UInt8]? = nil, publications: Publications? = nil
    ) {
        self.events = events
        self.head = head
        self.first = first
        self.epoch = epoch
        self.snapshot = snapshot
        self.publications = publications
    }
}
