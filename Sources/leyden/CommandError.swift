internal import Edge
internal import Foundation
internal import Ledger

/// Why a command failed, in one line.
struct CommandError: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }

    init(_ error: EdgeError) {
        switch error {
        case .badAddress(let text): description = "cannot listen on \(Text.shown(text)): it has to be an address in numbers, or localhost"
        case .cannotListen(let address, let port, let number):
            description = "cannot listen on \(Text.shown(address)) port \(port): \(unsafe String(cString: strerror(number)))"
        case .cannotCreateContext(let remedy): description = "libwebsockets does not start: \(remedy)"
        case .cannotReadPages(let directory): description = "public_dir: \(Text.shown(directory)) cannot be read"
        }
    }

    init(_ error: LedgerError) {
        switch error {
        case .unavailable(let reason): description = "database: \(Text.shown(reason, limit: 300))"
        case .rejected(let state, let reason): description = "database: \(Text.shown(reason, limit: 300)) (SQLSTATE \(Text.shown(state)))"
        case .badDSN(let reason): description = "database.dsn: \(Text.shown(reason, limit: 300))"
        }
    }
}
