public import Payments

/// How a held HTLC is to end.
public enum Answer: Equatable, Sendable {
    case settle(Preimage, PaymentHash)
    /// A failure that the virtual node encrypted for the payer: 292 bytes, the one length LND takes.
    case fail(encrypted: [UInt8])
    /// `temporary_channel_failure`, in the name of the node.
    case failTemporarily
    /// The virtual node's layer of the onion could not be peeled.
    case failBadOnion(BadOnion)
    /// The node goes on as if nobody had intercepted: it finds no such channel and says `unknown_next_peer`.
    case resume

    public enum BadOnion: Equatable, Sendable { case version, hmac, key }
}

/// What became of an answer.
public enum AnswerResult: Equatable, Sendable {
    case sent
    /// Not offered on the present stream, answered before, or failed by the node itself at its height. Nothing was sent.
    case notHeld
    /// LND would end the stream for it, so it was not sent; the HTLC is still held.
    case refusedLocally(AnswerRefusal)
}

/// Why an answer must not be sent.
public enum AnswerRefusal: Equatable, Sendable {
    /// The preimage, or the hash that came with it, is not that of the HTLC.
    case preimageMismatch
    /// An encrypted failure has to have 292 bytes.
    case failureLength(Int)
    /// An HTLC on chain can only be settled.
    case onChain
}
