import Foundation
import TestSupport
import Testing
import Torch

@testable import Methods

/// Queue, memory bank, prototypes and centre: what they keep, and that it is saved byte for byte.
@Suite struct PartsTests {
    private func rows(_ range: Range<Int>) -> Tensor {
        (Tensor.arange(range.count, .float32) + Double(range.lowerBound)).unsqueezed(1).expanded([range.count, 3]).contiguous()
    }

    private func first(_ queue: Queue) -> [Int] { queue.rows.narrowed(1, from: 0, count: 1).flattened().ints }

    @Test func queueIsARing() {
        let queue = Queue(length: 5, width: 3)
        expectClose(queue.rows.norm(1), .ones([5]), .float32)
        queue.add(rows(10..<13))
        #expect(Array(first(queue).prefix(3)) == [10, 11, 12] && !queue.isFull)
        queue.add(rows(13..<16))
        #expect(first(queue) == [15, 11, 12, 13, 14] && queue.isFull)
        queue.add(rows(16..<17))
        #expect(first(queue) == [15, 16, 12, 13, 14])
        // More than there is room for: the last stay, where they would have come.
        queue.add(rows(17..<29))
        #expect(first(queue) == [25, 26, 27, 28, 24] && queue.added.value.ints == [19])
    }

    @Test func queueGoesOnAfterLoading() throws {
        Runtime.seed(1)
        let (a, b) = (Queue(length: 5, width: 3), Queue(length: 5, width: 3))
        a.add(rows(0..<7))
        try b.load(a.stateDict.mapValues { $0.cloned() })
        #expect(a.stateDict.keys.sorted() == ["added", "entries"])
        for queue in [a, b] { queue.add(rows(20..<22)) }
        expectSame(b.rows, a.rows)
        #expect(first(a) == [5, 6, 20, 21, 4])
    }

    @Test func bankFollowsByIndex() {
        Runtime.seed(2)
        let bank = MemoryBank(samples: 9, width: 4)
        let before = bank.entries.value.cloned()
        let new = Tensor.randn([2, 4]).normalized()
        bank.update(Tensor([7, 2]), towards: new, momentum: 0.3)
        for (place, index) in [7, 2].enumerated() {
            expectClose(bank.entries.value[index], (before[index] * 0.3 + new[place] * 0.7).normalized(), .float32)
        }
        expectSame(bank.entries.value[3..<7], before[3..<7])
        let found = bank(Tensor([[0, 7], [2, 8]].flatMap { $0 }, [2, 2]))
        #expect(found.shape == [2, 2, 4])
        expectSame(found[1][1].contiguous(), bank.entries.value[8].contiguous())
    }

    @Test func prototypesAreNormalised() {
        Runtime.seed(3)
        let prototypes = Prototypes(6, width: 4)
        let z = Tensor.randn([5, 4])
        expectClose(prototypes.normalizedScores(z), z.matmul(prototypes.weight.value.normalized().t), .float32)
        #expect(difference(prototypes(z), prototypes.normalizedScores(z), .float32) != nil)
        prototypes.normalize()
        expectClose(prototypes(z), prototypes.normalizedScores(z), .float32)
        #expect(prototypes.weight.isTrainable && prototypes.count == 6)
    }

    @Test func centreAverages() {
        let centre = Centre(width: 2, momentum: 0.75)
        centre.update(Tensor([1.0, 2, 3, 6] as [Float], [2, 2]))
        #expect(centre.value.value.doubles == [0.5, 1])
        centre.update(Tensor([0.5, 1] as [Float], [1, 2]))
        #expect(centre.value.value.doubles == [0.5, 1])
    }
}
