/// Black and white pictures as PNG (ISO 15948): one bit for each pixel, in blocks that are stored and not compressed.
enum PNGImage {
    static func encode(width: Int, height: Int, isDark: (_ x: Int, _ y: Int) -> Bool) -> [UInt8] {
        var rows: [UInt8] = []
        rows.reserveCapacity((width / 8 + 2) * height)
        for y in 0..<height {
            rows.append(0)
            for start in stride(from: 0, to: width, by: 8) {
                var byte: UInt8 = 0
                for x in start..<min(start + 8, width) where !isDark(x, y) { byte |= 0x80 >> UInt8(x - start) }
                rows.append(byte)
            }
        }
        var image: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        // One bit, gray, and the only methods there are.
        append("IHDR", bytes(UInt32(width)) + bytes(UInt32(height)) + [1, 0, 0, 0, 0], to: &image)
        append("IDAT", stored(rows), to: &image)
        append("IEND", [], to: &image)
        return image
    }

    private static func append(_ kind: String, _ data: [UInt8], to image: inout [UInt8]) {
        let chunk = Array(kind.utf8) + data
        image += bytes(UInt32(data.count)) + chunk + bytes(checksum(chunk))
    }

    /// A zlib stream (RFC 1950) of stored blocks (RFC 1951).
    private static func stored(_ data: [UInt8]) -> [UInt8] {
        var stream: [UInt8] = [0x78, 0x01]
        var start = 0
        repeat {
            let count = min(65_535, data.count - start)
            let isLast = start + count == data.count
            stream += [isLast ? 1 : 0, UInt8(count & 255), UInt8(count >> 8), UInt8(~count & 255), UInt8(~count >> 8 & 255)]
            stream += data[start..<start + count]
            start += count
        } while start < data.count
        return stream + bytes(sum(data))
    }

    /// Adler-32.
    private static func sum(_ data: [UInt8]) -> UInt32 {
        var (low, high): (UInt32, UInt32) = (1, 0)
        for byte in data {
            low = (low + UInt32(byte)) % 65_521
            high = (high + low) % 65_521
        }
        return high << 16 | low
    }

    /// CRC-32.
    private static func checksum(_ data: [UInt8]) -> UInt32 {
        var value = UInt32.max
        for byte in data { value = table[Int((value ^ UInt32(byte)) & 255)] ^ (value >> 8) }
        return ~value
    }

    private static let table: [UInt32] = (0..<256).map { (index: UInt32) -> UInt32 in
        var value = index
        for _ in 0..<8 {
            let isOdd = value & 1 == 1
            value >>= 1
            if isOdd { value ^= 0xEDB8_8320 }
        }
        return value
    }

    private static func bytes(_ value: UInt32) -> [UInt8] {
        [UInt8(truncatingIfNeeded: value >> 24), UInt8(truncatingIfNeeded: value >> 16), UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value)]
    }
}
