/// Whether bytes are UTF-8, or the beginning of it: a client's message arrives in pieces that may be cut within a character.
///
/// libwebsockets' own check is not used: it forgets a character that an empty last fragment cuts off, and hangs up without a
/// close frame over a reason that is no text.
enum TextCheck: Equatable {
    case whole
    /// The last character is not complete, and can still become one.
    case cut
    case invalid

    init(_ bytes: [UInt8]) {
        do throws(UTF8.ValidationError) {
            _ = try UTF8Span(validating: bytes.span)
            self = .whole
        } catch {
            self = error.kind == .truncatedScalar && error.byteOffsets.upperBound == bytes.count ? .cut : .invalid
        }
    }

    /// Checks what follows `text`, which has passed.
    init(_ bytes: [UInt8], after text: [UInt8]) {
        let lastCharacter = text.lastIndex { $0 & 0xC0 != 0x80 }
        self.init(lastCharacter.map { text[$0...] + bytes } ?? bytes)
    }
}
