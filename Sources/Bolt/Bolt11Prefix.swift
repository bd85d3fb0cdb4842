import Payments

/// The readable part of an invoice: `ln`, the network, and the amount with its multiplier.
struct Bolt11Prefix: Equatable {
    var network: Network
    var amount: Millisatoshis?

    /// What one unit of each multiplier is in millisatoshi, the largest first. `p` is a tenth and stands apart.
    private static let units: [(multiplier: UInt8?, value: UInt64)] = [
        (nil, 100_000_000_000), (109, 100_000_000), (117, 100_000), (110, 100),
    ]

    /// The shortest form: the largest multiplier that leaves a whole number.
    func encode() -> [UInt8] {
        var text = [UInt8]()
        text.append(contentsOf: "ln".utf8)
        text.append(contentsOf: network.invoicePrefix.utf8)
        guard let amount = amount?.value else { return text }
        if let unit = Self.units.first(where: { amount.isMultiple(of: $0.value) }) {
            text.append(contentsOf: String(amount / unit.value).utf8)
            if let multiplier = unit.multiplier { text.append(multiplier) }
        } else {
            text.append(contentsOf: String(amount).utf8)
            // Ten pico-bitcoin are one millisatoshi.
            text.append(contentsOf: "0p".utf8)
        }
        return text
    }

    init(network: Network, amount: Millisatoshis?) {
        self.network = network
        self.amount = amount
    }

    init(decoding text: [UInt8]) throws(Bolt11Invoice.Failure) {
        guard text.starts(with: "ln".utf8) else { throw .prefix }
        let rest = text.dropFirst(2)
        guard let network = Network.byPrefixLength.first(where: { rest.starts(with: $0.invoicePrefix.utf8) }) else { throw .prefix }
        self.network = network
        let figure = rest.dropFirst(network.invoicePrefix.utf8.count)
        amount = figure.isEmpty ? nil : try Self.amount(figure)
    }

    private static func amount(_ figure: ArraySlice<UInt8>) throws(Bolt11Invoice.Failure) -> Millisatoshis {
        var digits = figure
        let value: UInt64
        if let last = figure.last, last < 48 || last > 57 {
            digits = figure.dropLast()
            // Pico-bitcoin: the last digit must be zero, or it is a fraction of a millisatoshi.
            if last == 112 {
                guard digits.count > 1 else { throw .amount }
                guard digits.last == 48 else { throw digits.last.map(isDigit) == true ? .subMillisatoshi : .amount }
                value = try number(digits.dropLast(), unit: 1)
                return Millisatoshis(value)
            }
            guard let unit = units.first(where: { $0.multiplier == last }) else { throw .multiplier }
            value = try number(digits, unit: unit.value)
        } else {
            value = try number(digits, unit: units[0].value)
        }
        return Millisatoshis(value)
    }

    /// Digits without leading zeros, hence not zero, times the unit, and not more than can exist.
    private static func number(_ digits: ArraySlice<UInt8>, unit: UInt64) throws(Bolt11Invoice.Failure) -> UInt64 {
        guard let first = digits.first, first != 48 else { throw .amount }
        var value: UInt64 = 0
        for digit in digits {
            guard isDigit(digit) else { throw .amount }
            // The supply times ten does not fit sixty-four bits.
            guard value <= Millisatoshis.supply.value / unit / 10 else { throw .amountTooLarge }
            value = value * 10 + UInt64(digit - 48)
        }
        guard value <= Millisatoshis.supply.value / unit else { throw .amountTooLarge }
        return value * unit
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }
}
