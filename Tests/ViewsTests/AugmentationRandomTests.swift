import Foundation
import Testing
@testable import Views

@Suite struct AugmentationRandomTests {
    /// The authors' C programs, started from these states.
    @Test func publishedNumbers() {
        var xoshiro = ViewRandom(state: (1, 2, 3, 4))
        #expect((0..<4).map { _ in xoshiro.next() } == [41_943_041, 58_720_359, 3_588_806_011_781_223, 3_591_011_842_654_386])
        var split = SplitMix64(state: 1_234_567)
        #expect((0..<3).map { _ in split.next() } == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423])
    }

    /// These may never change: runs that were finished could not be made again.
    @Test func keysAreFixed() {
        var random = ViewKey(seed: 1, epoch: 2, index: 3, stream: 4).random(step: 5)
        #expect(random.next() == 4_237_344_271_098_206_243)
        #expect(random.integer(below: 1000) == 823)
        #expect(random.uniform() == 0.8222196342235413)
        #expect(random.normal() == 1.0516704335549827)
        #expect(random.beta(0.2, 0.2) == 0.8240420412028918)
        #expect(Sampler.shuffled(10, seed: 7, epoch: 1) == [1, 7, 2, 0, 6, 3, 4, 8, 9, 5])
    }

    @Test func everyPartOfAKeyMatters() {
        var seen: Set<UInt64> = []
        for seed in 0..<4 {
            for epoch in 0..<4 {
                for index in -2..<4 {
                    for stream in 0..<4 {
                        for step in 0..<3 {
                            var random = ViewKey(seed: UInt64(seed), epoch: epoch, index: index, stream: stream).random(step: step)
                            seen.insert(random.next())
                        }
                    }
                }
            }
        }
        #expect(seen.count == 4 * 4 * 6 * 4 * 3)
    }

    @Test func moments() {
        var random = ViewRandom(seed: 3)
        let n = 100_000
        func moments(_ draw: () -> Double) -> (mean: Double, variance: Double) {
            let values = (0..<n).map { _ in draw() }
            let mean = values.reduce(0, +) / Double(n)
            return (mean, values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(n))
        }
        let uniform = moments { random.uniform() }
        #expect(abs(uniform.mean - 0.5) < 0.005 && abs(uniform.variance - 1.0 / 12) < 0.002)
        let normal = moments { random.normal() }
        #expect(abs(normal.mean) < 0.015 && abs(normal.variance - 1) < 0.03)
        let gamma = moments { random.gamma(2.5) }
        #expect(abs(gamma.mean - 2.5) < 0.03 && abs(gamma.variance - 2.5) < 0.1)
        let small = moments { random.gamma(0.3) }
        #expect(abs(small.mean - 0.3) < 0.02 && abs(small.variance - 0.3) < 0.03)
        let beta = moments { random.beta(0.2, 0.2) }
        #expect(abs(beta.mean - 0.5) < 0.01 && abs(beta.variance - 0.25 / 1.4) < 0.005)
        let coin = moments { random.bernoulli(0.3) ? 1 : 0 }
        #expect(abs(coin.mean - 0.3) < 0.007)
    }

    @Test func integersAndPermutationsAreUniform() {
        var random = ViewRandom(seed: 4)
        var counts = [Int](repeating: 0, count: 7)
        for _ in 0..<70_000 { counts[random.integer(below: 7)] += 1 }
        #expect(counts.allSatisfy { abs($0 - 10_000) < 400 })
        var orders: [[Int]: Int] = [:]
        for _ in 0..<24_000 { orders[random.permutation(4), default: 0] += 1 }
        #expect(orders.count == 24 && orders.values.allSatisfy { abs($0 - 1000) < 150 })
    }

    @Test func portableMath() {
        for x in stride(from: -30.0, through: 30, by: 0.37) {
            #expect(abs(PortableMath.exp(x) / exp(x) - 1) < 1e-14)
            #expect(abs(PortableMath.log(exp(x)) - log(exp(x))) < 1e-14 * max(1, abs(x)))
        }
        for x in stride(from: -3.1, through: 3.1, by: 0.1) {
            let (sine, cosine) = PortableMath.sineAndCosine(x)
            #expect(abs(sine - sin(x)) < 1e-14 && abs(cosine - cos(x)) < 1e-14)
        }
        #expect(PortableMath.exp(-6050) == 0 && PortableMath.exp(0) == 1 && PortableMath.log(1) == 0)
    }

    @Test func sampler() {
        let order = Sampler.shuffled(1000, seed: 1, epoch: 0)
        #expect(order.sorted() == Array(0..<1000) && order != Array(0..<1000))
        #expect(order == Sampler.shuffled(1000, seed: 1, epoch: 0))
        #expect(order != Sampler.shuffled(1000, seed: 1, epoch: 1) && order != Sampler.shuffled(1000, seed: 2, epoch: 0))
        #expect(Sampler.shuffled(0, seed: 1, epoch: 0).isEmpty)
    }
}
