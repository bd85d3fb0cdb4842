import Payments
import TestSupport
import Testing

@testable import Bolt

@Suite struct BigSizeTests {
    static let values: [(UInt64, String)] = [
        (0, "00"), (252, "fc"), (253, "fd00fd"), (65_535, "fdffff"), (65_536, "fe00010000"), (4_294_967_295, "feffffffff"),
        (4_294_967_296, "ff0000000100000000"), (18_446_744_073_709_551_615, "ffffffffffffffffff"),
    ]

    @Test("the values of BOLT 1 are written and read as it says", arguments: values)
    func bothWays(value: UInt64, hex: String) throws {
        var bytes = [UInt8]()
        BigSize.append(value, to: &bytes)
        #expect(Hex.encode(bytes) == hex)
        var position = 0
        #expect(try BigSize.decode(bytes.span, at: &position) == value)
        #expect(position == bytes.count)
    }

    @Test("a longer form than needed is refused", arguments: ["fd00fc", "fe0000ffff", "ff00000000ffffffff"])
    func notMinimal(hex: String) throws {
        let bytes = try #require(Hex.decode(hex))
        #expect(failure(of: bytes) == .notMinimal)
    }

    @Test("a form that ends too soon is refused", arguments: ["fd00", "feffff", "ffffffffff", "", "fd", "fe", "ff"])
    func truncated(hex: String) throws {
        let bytes = try #require(Hex.decode(hex))
        #expect(failure(of: bytes) == .truncated)
    }

    @Test("random bytes are refused or written again as they were")
    func fuzz() throws {
        var random = SeededGenerator(seed: 1)
        for _ in 0..<20_000 {
            let bytes = random.bytes(Int.random(in: 0...10, using: &random))
            var position = 0
            guard let value = try? BigSize.decode(bytes.span, at: &position) else { continue }
            var again = [UInt8]()
            BigSize.append(value, to: &again)
            #expect(again == Array(bytes.prefix(position)))
        }
    }

    private func failure(of bytes: [UInt8]) -> BigSize.Failure? {
        var position = 0
        do {
            _ = try BigSize.decode(bytes.span, at: &position)
            return nil
        } catch {
            return error
        }
    }
}
