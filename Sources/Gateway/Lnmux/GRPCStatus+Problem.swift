internal import GRPC
internal import Wire

extension GRPCStatus {
    /// The refusals of REST, as gRPC calls them.
    init(refusing problem: Problem) {
        let code: Code = switch problem.status {
        case 400, 422: .invalidArgument
        case 401: .unauthenticated
        case 403: .permissionDenied
        case 404: .notFound
        case 409, 410: .failedPrecondition
        case 429: .resourceExhausted
        case 503: .unavailable
        default: .internalError
        }
        self.init(code, [problem.field.map { $0 + ":" }, problem.title, problem.detail.map { "(\($0))" }].compactMap { $0 }.joined(separator: " "))
    }
}

extension Problem {
    /// lnmux knows invoices only from when they are accepted.
    static let unknownSet = Problem(status: 404, code: "unknown_invoice", title: "There is no such accepted set of this invoice")
}
