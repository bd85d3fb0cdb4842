/// Why a control request was not done.
struct ControlProblem: Error, Equatable, Sendable {
    var status: Int
    /// Stable, for scripts.
    var code: String
    var detail: String

    static func invalid(_ detail: String) -> Self { Self(status: 400, code: "invalid_request", detail: detail) }
    static func missing(_ field: String) -> Self { invalid("\(field) is missing") }
    static func notFound(_ detail: String) -> Self { Self(status: 404, code: "not_found", detail: detail) }
    static func impossible(_ detail: String) -> Self { Self(status: 409, code: "impossible_now", detail: detail) }
}
