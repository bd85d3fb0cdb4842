/// Why a configuration cannot be used. Every case is told in one line that names the key and never a secret.
enum ConfigurationError: Error, Equatable {
    case unreadable(file: String, reason: String)
    case malformed(origin: String, reason: String)
    case unknown(key: String, origin: String, suggestion: String?)
    case bad(key: String, origin: String, reason: String)
    case missing(key: String, reason: String)
}

extension ConfigurationError: CustomStringConvertible {
    var description: String {
        switch self {
        case .unreadable(let file, let reason): "\(file): \(reason)"
        case .malformed(let origin, let reason): "\(origin): \(reason)"
        case .unknown(let key, let origin, let suggestion):
            "\(origin): \(key): unknown key" + (suggestion.map { " (did you mean \($0)?)" } ?? "")
        case .bad(let key, let origin, let reason): "\(origin): \(key): \(reason)"
        case .missing(let key, let reason): "\(key) is not set: \(reason)"
        }
    }
}

/// What is wrong with a single value; the reader adds the key and where it came from.
struct BadValue: Error, Equatable {
    var reason: String
    init(_ reason: String) { self.reason = reason }
}
