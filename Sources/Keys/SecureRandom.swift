public import Payments

/// Random bytes that cannot be guessed. A machine that has none left stops here: nothing after it would be safe.
public enum SecureRandom {
    public static func bytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var span = bytes.mutableSpan
        fill(&span)
        return bytes
    }

    public static func bytes32() -> Bytes32 {
        Bytes32(filledBy: { fill(&$0) })
    }

    private static func fill(_ span: inout MutableSpan<UInt8>) {
        CryptoContext.current.random(into: &span)
    }
}
