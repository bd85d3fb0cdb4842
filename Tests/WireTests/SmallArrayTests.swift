import TestSupport
import Testing
import Wire

@Suite("An array whose first element lies in place")
struct SmallArrayTests {
    @Test("is an array, whatever is done to it")
    func model() {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<200 {
            var small = SmallArray<Int>()
            var array: [Int] = []
            for step in 0..<40 {
                switch Int.random(in: 0..<4, using: &random) {
                case 0...1:
                    small.append(step)
                    array.append(step)
                case 2 where !array.isEmpty:
                    let index = Int.random(in: array.indices, using: &random)
                    #expect(small.remove(at: index) == array.remove(at: index))
                case 3 where !array.isEmpty:
                    let index = Int.random(in: array.indices, using: &random)
                    small[index] = -step
                    array[index] = -step
                default: break
                }
                #expect(Array(small) == array)
            }
        }
    }
}
