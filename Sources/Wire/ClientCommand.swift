public import Payments

/// One command of the Centrifuge client protocol in its JSON form.
public struct ClientCommand: Equatable, Sendable {
    public enum Method: Equatable, Sendable {
        case connect(token: String?)
        case subscribe(channel: String, token: String?, recovery: Position?)
        case unsubscribe(channel: String)
        case history(channel: String, limit: Int64, since: Position?)
        case rpc(method: String, data: Decision?)
        case refresh(token: String)
        case ping
        /// Publishing, presence and what else the protocol has that is not served.
        case unavailable
        /// The client's answer to the server's ping: an empty object.
        case pong
    }

    /// Where a reader stopped.
    public struct Position: Equatable, Sendable {
        public var epoch: String
        public var offset: Int64
        public init(epoch: String, offset: Int64) {
            self.epoch = epoch
            self.offset = offset
        }
    }

    /// What the `invoice.…` methods take.
    public struct Decision: Equatable, Sendable {
        public var paymentHash: PaymentHash
        public var setID: SetID?
    }

    public var id: UInt32
    public var method: Method

    /// All commands of one message, a line each; `nil` if one of them is none.
    public static func decode(_ message: [UInt8]) -> [ClientCommand]? {
        var commands: [ClientCommand] = []
        for line in message.split(separator: 0x0A) where !line.allSatisfy({ $0 == 0x20 || $0 == 0x0D }) {
            guard let value = try? JSONReader.read(Array(line)), let command = ClientCommand(value) else { return nil }
            commands.append(command)
        }
        return commands.isEmpty ? nil : commands
    }

    init?(_ value: JSONValue) {
        guard let members = value.members else { return nil }
        if members.isEmpty {
            self.init(id: 0, method: .pong)
            return
        }
        guard let id = value["id"]?.whole.flatMap({ UInt32(exactly: $0) }), id > 0, let method = Self.method(value) else { return nil }
        self.init(id: id, method: method)
    }

    init(id: UInt32, method: Method) {
        self.id = id
        self.method = method
    }

    private static func method(_ value: JSONValue) -> Method? {
        if let body = value["connect"] { return .connect(token: text(body, "token")) }
        if let body = value["subscribe"] {
            guard let channel = body["channel"]?.text else { return nil }
            guard body["recover"]?.flag == true else { return .subscribe(channel: channel, token: text(body, "token"), recovery: nil) }
            guard let position = position(body) else { return nil }
            return .subscribe(channel: channel, token: text(body, "token"), recovery: position)
        }
        if let body = value["unsubscribe"] { return body["channel"]?.text.map { .unsubscribe(channel: $0) } }
        if let body = value["history"] {
            guard let channel = body["channel"]?.text else { return nil }
            // The log is read in its own order only; a page in another order than the one asked for would be worse than none.
            guard body["reverse"]?.flag != true else { return .unavailable }
            guard let limit = (body["limit"] ?? .unsigned(0)).integer else { return nil }
            guard let since = body["since"], !since.isNull else { return .history(channel: channel, limit: limit, since: nil) }
            return position(since).map { .history(channel: channel, limit: limit, since: $0) }
        }
        if let body = value["rpc"] {
            guard let method = body["method"]?.text else { return nil }
            return .rpc(method: method, data: body["data"].flatMap(decision))
        }
        if let body = value["refresh"] { return body["token"]?.text.map { .refresh(token: $0) } }
        if value["ping"] != nil { return .ping }
        for name in ["publish", "presence", "presence_stats", "send", "sub_refresh"] where value[name] != nil { return .unavailable }
        return nil
    }

    /// An offset is a whole number that is not negative; absent means zero.
    private static func position(_ body: JSONValue) -> Position? {
        guard body.members != nil, let offset = (body["offset"] ?? .unsigned(0)).integer, offset >= 0 else { return nil }
        return Position(epoch: text(body, "epoch") ?? "", offset: offset)
    }

    private static func decision(_ body: JSONValue) -> Decision? {
        guard let hash = body["payment_hash"]?.text.flatMap({ PaymentHash(hex: $0) }) else { return nil }
        guard let given = body["set_id"], !given.isNull else { return Decision(paymentHash: hash, setID: nil) }
        return given.text.flatMap { SetID(hex: $0) }.map { Decision(paymentHash: hash, setID: $0) }
    }

    /// An empty token is none.
    private static func text(_ body: JSONValue, _ name: String) -> String? {
        guard let text = body[name]?.text, !text.isEmpty else { return nil }
        return text
    }
}
