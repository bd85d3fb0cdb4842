internal import CQREncode

/// A QR code, as a drawing or as a picture.
public struct QRCode {
    private static let quiet = 4
    private let width: Int
    private let modules: [Bool]

    /// Upper-case text of the alphanumeric set gives the smallest code. `nil` if it is empty or too long.
    public init?(_ text: String) {
        guard !text.isEmpty, !text.utf8.contains(0) else { return nil }
        guard let code = unsafe text.withCString({ unsafe QRcode_encodeString($0, 0, QR_ECLEVEL_M, QR_MODE_8, 1) }) else { return nil }
        defer { unsafe QRcode_free(code) }
        let width = Int(unsafe code.pointee.width)
        // The lowest bit of each byte says whether the module is dark.
        modules = (0..<width * width).map { unsafe code.pointee.data[$0] & 1 == 1 }
        self.width = width
    }

    /// One path of horizontal runs, dark on white, sized by its view box.
    public var svg: [UInt8] {
        let size = width + 2 * Self.quiet
        var path = ""
        for row in 0..<width {
            var column = 0
            while column < width {
                let start = column
                while column < width, modules[row * width + column] { column += 1 }
                if column > start { path += "M\(start + Self.quiet) \(row + Self.quiet)h\(column - start)v1h-\(column - start)z" }
                column += 1
            }
        }
        let text = """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(size) \(size)" shape-rendering="crispEdges" role="img">\
            <rect width="\(size)" height="\(size)" fill="#fff"/><path d="\(path)" fill="#000"/></svg>
            """
        return Array(text.utf8)
    }

    /// One bit for each pixel, at least four pixels for each module.
    public var png: [UInt8] {
        let size = width + 2 * Self.quiet
        let scale = max(4, 420 / size)
        return PNGImage.encode(width: size * scale, height: size * scale) { x, y in
            let (column, row) = (x / scale - Self.quiet, y / scale - Self.quiet)
            return (0..<width).contains(column) && (0..<width).contains(row) && modules[row * width + column]
        }
    }
}
