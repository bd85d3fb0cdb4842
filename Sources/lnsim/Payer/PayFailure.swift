/// Why a payment was not even tried.
enum PayFailure: Error, Equatable, Sendable {
    case badInvoice(String)
    case noSuchNode(Int)
    /// The invoice does not name the node as a way to the payee.
    case noRoute(node: Int)
    case noParts
    case noAmount
    case onion
}

extension PayFailure: CustomStringConvertible {
    var description: String {
        switch self {
        case .badInvoice(let why): "the invoice cannot be read: \(why)"
        case .noSuchNode(let node): "there is no node \(node)"
        case .noRoute(let node): "the invoice has no route hint through node \(node)"
        case .noParts: "no parts to pay with"
        case .noAmount: "the invoice names no amount, so the parts have to"
        case .onion: "the onion cannot be built for this payee"
        }
    }
}
