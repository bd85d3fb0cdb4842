/// Headers or trailers of a call, without HTTP's and gRPC's own ones. Names are lower case, names may repeat.
///
/// Values are text; of names that end in `-bin` they stay in base64. Entries that HTTP does not allow are not sent.
public struct Metadata: Sendable, Equatable {
    public struct Entry: Sendable, Equatable {
        public let name: String
        public let value: String
    }

    public private(set) var entries: [Entry] = []

    public init() {}

    public init(_ entries: [(String, String)]) {
        for (name, value) in entries { add(name, value) }
    }

    public mutating func add(_ name: String, _ value: String) {
        entries.append(Entry(name: name.lowercased(), value: value))
    }

    /// The first value of this name, which must be given in lower case.
    public func first(_ name: String) -> String? { entries.first { $0.name == name }?.value }

    /// What of a received header block is the application's.
    init(_ fields: [HeaderField]) {
        for field in fields where !field.name.hasPrefix(":") && !Self.reserved.contains(field.name) {
            entries.append(Entry(name: field.name, value: field.value))
        }
    }

    /// As header fields; secrets are kept out of both sides' compression tables.
    var fields: [HeaderField] {
        entries.filter { !Self.reserved.contains($0.name) }.map {
            HeaderField($0.name, $0.value, isSecret: Self.secret.contains($0.name))
        }
    }

    private static let reserved: Set<String> = [
        "content-type", "te", "user-agent", "grpc-timeout", "grpc-status", "grpc-message", "grpc-encoding", "grpc-accept-encoding",
    ]
    private static let secret: Set<String> = ["macaroon", "authorization"]
}
