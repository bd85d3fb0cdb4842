/// Bytes and integers as sequences of five-bit values, most significant bit first (BIP 173, BOLT 11).
enum FiveBitGroups {
    /// Appends the bytes, zero bits filling the last group.
    static func append(_ bytes: borrowing Span<UInt8>, to groups: inout [UInt8]) {
        var pending: UInt32 = 0
        var count: UInt32 = 0
        // Room first and then a span: appending one by one checks ownership each time.
        var position = groups.count
        groups.append(contentsOf: repeatElement(0, count: self.count(forBytes: bytes.count)))
        var room = groups.mutableSpan
        for index in bytes.indices {
            pending = pending << 8 | UInt32(bytes[index])
            count += 8
            while count >= 5 {
                count -= 5
                room[position] = UInt8(truncatingIfNeeded: pending >> count) & 31
                position += 1
            }
        }
        if count > 0 { room[position] = UInt8(truncatingIfNeeded: pending << (5 - count)) & 31 }
    }

    /// Appends a signature: five hundred and twenty bits are a whole number of groups.
    static func append(_ signature: RecoverableSignature, to groups: inout [UInt8]) {
        let wire = InlineArray<65, UInt8> { $0 < 64 ? signature.bytes[$0] : signature.recoveryID }
        append(wire.span, to: &groups)
    }

    /// Appends `count` groups that hold the integer, leading zeros included.
    static func append(_ value: UInt64, count: Int, to groups: inout [UInt8]) {
        for place in (0..<count).reversed() {
            groups.append(UInt8(truncatingIfNeeded: value >> UInt64(5 * place)) & 31)
        }
    }

    /// How many groups the integer needs; one for zero, so that no field is empty.
    static func count(for value: UInt64) -> Int {
        max(1, (68 - value.leadingZeroBitCount) / 5)
    }

    static func count(forBytes count: Int) -> Int { (count * 8 + 4) / 5 }

    /// Appends the whole bytes among the groups; up to seven bits at the end are dropped or, if `padding`, completed with zeros.
    static func appendBytes(of groups: ArraySlice<UInt8>, padding: Bool, to bytes: inout [UInt8]) {
        var pending: UInt32 = 0
        var count: UInt32 = 0
        var position = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: (groups.count * 5 + (padding ? 7 : 0)) / 8))
        var room = bytes.mutableSpan
        for group in groups {
            pending = pending << 5 | UInt32(group)
            count += 5
            if count >= 8 {
                count -= 8
                room[position] = UInt8(truncatingIfNeeded: pending >> count)
                position += 1
            }
        }
        if padding && count > 0 { room[position] = UInt8(truncatingIfNeeded: pending << (8 - count)) }
    }

    static func bytes(of groups: ArraySlice<UInt8>) -> [UInt8] {
        var bytes = [UInt8]()
        bytes.reserveCapacity(groups.count * 5 / 8)
        appendBytes(of: groups, padding: false, to: &bytes)
        return bytes
    }

    /// The integer; `nil` if there are no groups or it does not fit sixty-four bits.
    static func integer(of groups: ArraySlice<UInt8>) -> UInt64? {
        guard !groups.isEmpty else { return nil }
        var value: UInt64 = 0
        for group in groups {
            guard value >> 59 == 0 else { return nil }
            value = value << 5 | UInt64(group)
        }
        return value
    }
}
