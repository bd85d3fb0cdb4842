/// The chain that all simulated nodes see: a height, and a hash for each block that changes when it is mined again.
struct SimulatedChain: Sendable {
    struct Block: Equatable, Sendable {
        var height: UInt32
        /// Internal byte order.
        var hash: [UInt8]
    }

    /// Expiries must fit 32 bits too.
    static let maximumHeight: UInt32 = 1 << 31

    private(set) var height: UInt32
    private var branch: UInt32 = 0

    init(height: UInt32) { self.height = height }

    var tip: Block { block(at: height) }

    /// What a client that knows the chain up to a height has missed, or the tip alone for one that knows nothing.
    func blocks(after height: UInt32?) -> [Block] {
        guard let height, height > 0 else { return [tip] }
        // Not more than two weeks of them: the rest is no news.
        return height < self.height ? (max(height + 1, self.height - min(self.height, 2016))...self.height).map(block) : []
    }

    /// Mines blocks and returns them.
    mutating func extend(by count: UInt32) -> [Block] {
        let first = height + 1
        height = min(height + count, Self.maximumHeight)
        return height < first ? [] : (first...height).map(block)
    }

    /// Goes to a height: upward block by block, downward as a reorganisation that leaves another tip.
    mutating func move(to height: UInt32) -> [Block] {
        guard height <= self.height else { return extend(by: min(height, Self.maximumHeight) - self.height) }
        self.height = height
        branch += 1
        return [tip]
    }

    private func block(at height: UInt32) -> Block {
        var hash = [UInt8](repeating: 0, count: 32)
        for index in 0..<4 {
            hash[index] = UInt8(truncatingIfNeeded: height >> (8 * UInt32(index)))
            hash[4 + index] = UInt8(truncatingIfNeeded: branch >> (8 * UInt32(index)))
        }
        return Block(height: height, hash: hash)
    }
}
