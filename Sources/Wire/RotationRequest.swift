/// The body of `POST /v1/keys/{id}/rotate`.
public struct RotationRequest: Equatable, Sendable {
    /// For how long the secret before is still good.
    public var overlapSeconds: Int64

    public init(decoding body: [UInt8]) throws(FieldError) {
        let fields = try RequestFields(body, known: ["overlap_seconds"])
        overlapSeconds = Int64(try fields.whole("overlap_seconds", in: 0...2_592_000) ?? 0)
    }
}
