import Embeddings
import Testing

@Suite struct SplitMix64Tests {
    /// The published sequence of seed 1234567 (the reference implementation by Vigna).
    @Test func sequenceIsTheReference() {
        var random = SplitMix64(seed: 1_234_567)
        let expected: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423, 4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ]
        #expect((0..<5).map { _ in random.next() } == expected)
    }

    @Test func boundedIntegersAreEven() {
        var random = SplitMix64(seed: 3)
        var counts = [Int](repeating: 0, count: 7)
        for _ in 0..<70_000 { counts[random.below(7)] += 1 }
        // Binomial standard deviation 93.
        #expect(counts.allSatisfy { abs($0 - 10_000) < 500 })
    }

    @Test func permutationsAndChoices() {
        var random = SplitMix64(seed: 4)
        #expect(random.permutation(100).sorted() == Array(0..<100))
        #expect(random.permutation(100) != Array(0..<100))
        let chosen = random.distinct(30, below: 40)
        #expect(Set(chosen).count == 30 && chosen.allSatisfy { (0..<40).contains($0) })
        #expect(Set(random.distinct(5, below: 5)) == Set(0..<5))
        var first = [Int](repeating: 0, count: 4)
        for _ in 0..<8000 { first[random.distinct(2, below: 4)[0]] += 1 }
        #expect(first.allSatisfy { abs($0 - 2000) < 250 })
    }
}
