public import Payments

extension Bolt11Invoice {
    /// The payment hash that an invoice names which is known to be genuine: nothing else of it is read or checked.
    public static func paymentHash(ofGenuine text: String) -> PaymentHash? {
        guard let separator = text.utf8.lastIndex(of: 49) else { return nil }
        let digits = text.utf8[text.utf8.index(after: separator)...]
        var groups = [UInt8]()
        groups.reserveCapacity(digits.count)
        for digit in digits {
            guard let group = Bech32.value(of: digit) else { return nil }
            groups.append(group)
        }
        var position = timestampCount
        while position + 3 <= groups.count - signatureCount {
            let count = Int(groups[position + 1]) << 5 | Int(groups[position + 2])
            let start = position + 3
            guard start + count <= groups.count else { return nil }
            if groups[position] == Bolt11Field.Tag.paymentHash, let hash = Bytes32(FiveBitGroups.bytes(of: groups[start..<start + count])) {
                return PaymentHash(hash)
            }
            position = start + count
        }
        return nil
    }
}
