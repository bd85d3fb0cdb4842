@testable import Gateway
import Ledger
import Loop
import Testing

@Suite("What is written together, and piece by piece if it must")
@LoopActor
struct PiecemealTests {
    /// A database that never takes some numbers, and is away after so many statements.
    @LoopActor
    private final class Table {
        var rows: [Int] = []
        var refused: [Int] = []
        var statements = 0
        var breaksAfter = Int.max
        let poison: Set<Int>

        init(poison: Set<Int>) { self.poison = poison }

        var piecemeal: Piecemeal<[Int]> {
            Piecemeal {
                $0.map { [$0] }
            } write: { [self] numbers, done in
                statements += 1
                guard statements <= breaksAfter else { return done(.failure(.unavailable("away"))) }
                guard poison.isDisjoint(with: numbers) else { return done(.failure(.rejected(sqlState: "22021", "bad"))) }
                rows += numbers
                done(.success(()))
            } refused: { [self] numbers, _, _ in refused += numbers }
        }

        func store(_ numbers: [Int]) async -> (left: [Int], error: LedgerError?) {
            await withCheckedContinuation { done in piecemeal.store(numbers) { done.resume(returning: ($0.flatMap(\.self), $1)) } }
        }
    }

    @Test("one statement for all of it where nothing is wrong")
    func together() async {
        let table = Table(poison: [])
        let (left, error) = await table.store(Array(1...9))
        #expect(left.isEmpty && error == nil && table.rows == Array(1...9) && table.statements == 1)
    }

    @Test("one that is never taken is given up alone, and no other is lost or written twice")
    func poisoned() async {
        let table = Table(poison: [3, 7])
        let (left, error) = await table.store(Array(1...9))
        #expect(left.isEmpty && error == nil && table.rows == [1, 2, 4, 5, 6, 8, 9] && table.refused == [3, 7])
        #expect(await table.store([3]).left.isEmpty && table.refused == [3, 7, 3])
    }

    @Test("if the database goes away in the middle, what was not written comes back in its order")
    func away() async {
        let table = Table(poison: [3])
        table.breaksAfter = 5
        let (left, error) = await table.store(Array(1...9))
        #expect(left == Array(5...9) && error == .unavailable("away") && table.rows == [1, 2, 4] && table.refused == [3])
        table.breaksAfter = .max
        #expect(await table.store(left).left.isEmpty && table.rows == [1, 2, 4, 5, 6, 7, 8, 9])
    }
}
