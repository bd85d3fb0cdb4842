internal import CNghttp2

/// One field of an HTTP/2 header block.
struct HeaderField: Equatable {
    let name: String
    let value: String
    /// Kept out of the compression tables.
    let isSecret: Bool

    init(_ name: String, _ value: String, isSecret: Bool = false) {
        self.name = name
        self.value = value
        self.isSecret = isSecret
    }

    /// Lends the fields as nghttp2 wants them, without those that HTTP does not allow.
    static func withNameValues<Result>(
        _ fields: [HeaderField], _ body: (UnsafePointer<nghttp2_nv>?, Int) -> Result
    ) -> Result {
        var text: [UInt8] = []
        var marks: [(start: Int, name: Int, value: Int, isSecret: Bool)] = []
        for field in fields {
            let name = Array(field.name.utf8)
            let value = Array(field.value.utf8)
            let isPseudo = field.name.hasPrefix(":")
            let isNameLegal = unsafe nghttp2_check_header_name(name, name.count) != 0
            let isValueLegal = unsafe nghttp2_check_header_value(value, value.count) != 0
            guard isPseudo || isNameLegal, isValueLegal else { continue }
            marks.append((text.count, name.count, value.count, field.isSecret))
            text += name
            text += value
        }
        return unsafe text.withUnsafeMutableBufferPointer { buffer in
            let pairs = unsafe marks.map { mark in
                unsafe nghttp2_nv(
                    name: buffer.baseAddress! + mark.start, value: buffer.baseAddress! + mark.start + mark.name,
                    namelen: mark.name, valuelen: mark.value,
                    flags: UInt8(mark.isSecret ? NGHTTP2_NV_FLAG_NO_INDEX.rawValue : NGHTTP2_NV_FLAG_NONE.rawValue))
            }
            return unsafe pairs.withUnsafeBufferPointer { unsafe body($0.baseAddress, $0.count) }
        }
    }
}
