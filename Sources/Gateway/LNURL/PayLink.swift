internal import LNURL
internal import Ledger
internal import Payments

/// A pay link as wallets meet it: its terms, read once, and the answer to the first request, written once.
struct PayLink {
    let record: PayLinkRecord
    let terms: PayTerms
    let callback: String
    /// The address that is shown, of an address.
    let address: String?
    /// `nil` where each answer needs a challenge of its own.
    let document: [UInt8]?
    var isTaken: Bool

    init(_ record: PayLinkRecord, base: String) {
        self.record = record
        terms = PayTerms(
            minimum: record.minimum, maximum: record.maximum, commentAllowed: Int(clamping: record.commentAllowed),
            payerData: record.payerData.flatMap(PayerDataRequest.init(stored:)), successAction: record.successAction.flatMap(SuccessAction.init(stored:)),
            isDisposable: record.isDisposable, metadata: PayMetadata(stored: record.shown))
        callback = base + "/lnurl/pay/" + record.id + "/callback"
        address = record.name.flatMap { name in record.host.map { name + "@" + $0 } }
        document = terms.payerData?.kinds[.auth] == nil ? terms.document(callback: callback) : nil
        isTaken = record.isTaken
    }

    /// Why it gives nothing now.
    func refusal(at time: UnixTime) -> LNURLRefusal? {
        if !record.isEnabled { return .disabled }
        if isTaken { return .alreadyPaid }
        if let end = record.expiresAt, end.seconds <= time.seconds { return .expired }
        return nil
    }

    /// The terms of `name+tag`: the tag stands in the metadata, and with them in the invoice's hash.
    func terms(tag: String?) -> PayTerms {
        guard let tag else { return terms }
        var terms = terms
        terms.metadata = terms.metadata.adding(tag: tag)
        return terms
    }

    func callback(tag: String?) -> String {
        guard let tag else { return callback }
        return callback.dropLast("/callback".count) + "+" + tag + "/callback"
    }
}
