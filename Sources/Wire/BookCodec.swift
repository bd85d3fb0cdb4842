internal import Payments

/// The books as text: JSON, or a table for a spreadsheet (RFC 4180).
public enum BookCodec {
    public static func json(_ lines: [BookLine], next: String?) -> [UInt8] {
        var json = JSONWriter(capacity: 512 + lines.count * 384)
        json.object { json in
            json.array("lines") { json in
                for line in lines {
                    json.object { json in
                        json.field("type", line.kind.rawValue)
                        json.field("time", line.time)
                        json.field("payment_hash", line.paymentHash.bytes)
                        if let setID = line.setID { json.field("set_id", setID.bytes) }
                        if let orderID = line.orderID { json.field("order_id", orderID) }
                        if let description = line.description { json.field("description", description) }
                        json.field("state", line.state.rawValue)
                        if let asked = line.asked { json.field("asked_msat", asked.value) }
                        json.field("amount_msat", line.amount.value)
                    }
                }
            }
            json.object("totals") { json in
                json.field("payments", Int64(lines.count { $0.kind == .payment }))
                json.field("payments_msat", total(.payment, of: lines))
                json.field("fees_msat", total(.fee, of: lines))
                json.field("payouts", Int64(lines.count { $0.kind == .payout }))
                json.field("payouts_msat", total(.payout, of: lines))
                json.field("payout_fees_msat", total(.payoutFee, of: lines))
            }
            json.field("next", next)
        }
        return json.bytes
    }

    public static func csv(_ lines: [BookLine], head: Bool = true) -> [UInt8] {
        var bytes = head ? Array("type,time,payment_hash,set_id,order_id,description,state,asked_msat,amount_msat\r\n".utf8) : []
        for line in lines {
            let cells = [
                line.kind.rawValue, RFC3339.text(line.time), line.paymentHash.bytes.hex, line.setID?.bytes.hex ?? "", line.orderID.map(disarmed) ?? "",
                line.description.map(disarmed) ?? "", line.state.rawValue, line.asked.map { String($0.value) } ?? "", String(line.amount.value),
            ]
            for (index, cell) in cells.enumerated() {
                if index > 0 { bytes.append(0x2C) }
                append(cell, to: &bytes)
            }
            bytes += [0x0D, 0x0A]
        }
        return bytes
    }

    private static func total(_ kind: BookLine.Kind, of lines: [BookLine]) -> UInt64 {
        lines.lazy.filter { $0.kind == kind }.reduce(Millisatoshis.zero) { $0 + $1.amount }.value
    }

    /// What somebody else has written must not be taken for a formula: spreadsheets look at a cell's first character.
    private static func disarmed(_ text: String) -> String {
        switch text.utf8.first {
        case 0x3D, 0x2B, 0x2D, 0x40, 0x09, 0x0D: "'" + text
        default: text
        }
    }

    private static func append(_ cell: String, to bytes: inout [UInt8]) {
        guard cell.utf8.contains(where: { [0x22, 0x2C, 0x0D, 0x0A].contains($0) }) else {
            bytes += cell.utf8
            return
        }
        bytes.append(0x22)
        for byte in cell.utf8 {
            if byte == 0x22 { bytes.append(0x22) }
            bytes.append(byte)
        }
        bytes.append(0x22)
    }
}
