internal import Foundation
internal import Payments

/// What a macaroon lets its bearer do, as far as it matters whether it is too much.
///
/// LND writes a macaroon's permissions in plain text into its identifier, so they can be seen without its root key.
enum MacaroonScope {
    /// Makes a macaroon for the methods that the gateway calls, and no other: to be told of payments and to answer them, and to pay.
    /// What is asked of the node itself (its invoices, peers, addresses and messages) needs rights of its own.
    static let bakeLine = "lncli bakemacaroon --save_to leyden.macaroon "
        + methods.map { "uri:/" + $0 }.joined(separator: " ")

    private static let methods = [
        "lnrpc.Lightning/GetInfo", "verrpc.Versioner/GetVersion", "chainrpc.ChainNotifier/RegisterBlockEpochNtfn", "routerrpc.Router/HtlcInterceptor",
        "routerrpc.Router/SubscribeHtlcEvents", "lnrpc.Lightning/LookupHtlcResolution", "routerrpc.Router/SendPaymentV2", "routerrpc.Router/TrackPaymentV2",
        "routerrpc.Router/EstimateRouteFee", "lnrpc.Lightning/ListPayments", "lnrpc.Lightning/ListChannels", "lnrpc.Lightning/GetChanInfo",
        "lnrpc.Lightning/SubscribeChannelEvents", "lnrpc.Lightning/ChannelBalance", "lnrpc.Lightning/WalletBalance",
    ]

    /// Whether the macaroon can make other macaroons or move coins on chain: `admin.macaroon` can, one that was baked
    /// for the gateway cannot.
    static func isExcessive(_ macaroon: [UInt8]) -> Bool {
        var bytes = macaroon
        // A file may hold the hex of it.
        let text = String(decoding: macaroon, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        if let decoded = Hex.decode(text) { bytes = decoded }
        return contains(bytes, "generate") || (contains(bytes, "onchain") && contains(bytes, "address"))
    }

    private static func contains(_ bytes: [UInt8], _ word: String) -> Bool {
        Data(bytes).range(of: Data(word.utf8)) != nil
    }
}
