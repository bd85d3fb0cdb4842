internal import Payments

/// Who makes an invoice, and from what.
struct InvoiceMaker {
    /// The key whose open invoices are counted, if it has a limit.
    var keyID: String?
    var random: Bytes32
    /// When it was asked for first, if it is claimed: what is claimed is the same invoice at every attempt.
    var time: UnixTime?
}
