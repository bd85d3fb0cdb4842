/// The body of `POST …/rotate-secret`.
public struct SecretRotationRequest: Equatable, Sendable {
    /// For how long the old secrets sign too.
    public var overlapSeconds: Int64

    public init(decoding body: [UInt8]) throws(FieldError) {
        overlapSeconds = Int64(try RequestFields(body, known: ["overlap_seconds"]).whole("overlap_seconds", in: 0...604_800) ?? 86_400)
    }
}
