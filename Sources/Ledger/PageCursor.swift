public import Payments

/// A place in a list that is in order of time: between the rows before it and those after. New rows do not move it.
public struct PageCursor: Equatable, Sendable {
    public var time: UnixTime
    public var number: Int64

    public init(time: UnixTime, number: Int64) {
        self.time = time
        self.number = number
    }

    public init?(_ text: String) {
        let parts = text.utf8.split(separator: 0x2E, omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.allSatisfy { (48...57).contains($0) } }), let time = Int64(String(parts[0]) ?? ""),
            let number = Int64(String(parts[1]) ?? "")
        else { return nil }
        self.init(time: UnixTime(milliseconds: time), number: number)
    }

    public var text: String { "\(time.milliseconds).\(number)" }
}
