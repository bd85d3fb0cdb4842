extension Bolt11Invoice {
    /// Why an invoice is refused.
    public enum Failure: Error, Equatable, Sendable {
        case text(Bech32.Failure)
        /// No room for a timestamp and a signature.
        case tooShort
        /// Not `ln` and a network that is known.
        case prefix
        /// No digits, leading zeros, or zero.
        case amount
        case multiplier
        case subMillisatoshi
        /// More than can exist.
        case amountTooLarge
        /// A field that says it is longer than what is left.
        case fieldTooLong
        case paymentHashMissing
        case paymentSecretMissing
        /// Two payment hashes or two secrets: readers disagree which one counts.
        case duplicate
        /// Neither or both of text and hash, or one of them twice.
        case description
        /// Not UTF-8.
        case descriptionText
        /// Empty or more than sixty-four bits.
        case expiry
        case minFinalCLTVExpiry
        case payee
        /// Hops that are not whole, or begin at what is no point of the curve.
        case route
        case featuresMissing
        case unknownFeature(Int)
        /// `basic_mpp` without `payment_secret`.
        case featureDependency
        case recoveryID
        /// No key made it, another one did, or S is high although the key is given.
        case signature
    }
}
