import TestSupport
import Testing
import Torch

@testable import Methods

@Suite struct MovingAverageTests {
    /// After `begin`, everything of the source is moved; the target's statistics too, to others.
    private func pair(_ buffers: MovingAverage.Buffers) -> (source: MLP, target: MLP, average: MovingAverage) {
        Runtime.seed(5)
        let (source, target) = (MLP([6, 8, 4]), MLP([6, 8, 4]))
        let average = MovingAverage(of: source, into: target, decay: .constant(0.75), buffers: buffers)
        average.begin()
        withoutGradients {
            for parameter in source.parameters { parameter.value.addInPlace(.randn(parameter.value.shape)) }
            _ = source(.randn([16, 6]) + 2)
            for _ in 0..<3 { _ = target(.randn([16, 6]) * 3) }
        }
        return (source, target, average)
    }

    @Test func beginMakesTheTargetEqualAndFreesIt() throws {
        let (source, target) = (MLP([6, 8, 4]), MLP([6, 8, 4]))
        _ = withoutGradients { source(.randn([16, 6]) + 2) }
        let average = MovingAverage(of: source, into: target, decay: .constant(0.9))
        #expect(difference(target.parameters[0].value, source.parameters[0].value, .exact) != nil)
        average.begin()
        for (key, tensor) in source.stateDict { expectSame(try #require(target.stateDict[key]), tensor, "\(key)") }
        #expect(target.parameters.allSatisfy { !$0.isTrainable } && source.parameters.allSatisfy { $0.isTrainable })
        #expect(average.buffers == .copy)
    }

    @Test(arguments: [MovingAverage.Buffers.copy, .average, .own]) func buffers(_ mode: MovingAverage.Buffers) throws {
        let (source, target, average) = pair(mode)
        let before = target.stateDict.mapValues { $0.cloned() }
        let sourceBefore = source.stateDict.mapValues { $0.cloned() }
        average.update(Step(epoch: 0, index: 2, total: 8))
        let buffers = Set(source.namedBuffers.map(\.key))
        #expect(buffers == ["1.running_mean", "1.running_var", "1.num_batches_tracked"])
        for (key, found) in target.stateDict {
            let (old, new) = (try #require(before[key]), try #require(source.stateDict[key]))
            let averaged = old.to(.float64) * 0.75 + new.to(.float64) * 0.25
            #expect(difference(old, new, .exact) != nil, "\(key) differs before")
            switch (buffers.contains(key), mode) {
            case (false, _): expectClose(found, averaged, Tolerance(relative: 1e-6, absolute: 1e-6), "\(key)")
            case (true, .copy): expectSame(found, new, "\(key)")
            case (true, .own): expectSame(found, old, "\(key)")
            case (true, .average) where key.hasSuffix("tracked"): expectSame(found, old, "\(key)")
            case (true, .average): expectClose(found, averaged, Tolerance(relative: 1e-6, absolute: 1e-6), "\(key)")
            }
        }
        for (key, tensor) in source.stateDict { expectSame(tensor, try #require(sourceBefore[key]), "\(key) of the source") }
        #expect(target.parameters.allSatisfy { $0.value.gradient == nil && !$0.isTrainable })
    }

    @Test func decayOfOneStandsStillAndOfZeroCopies() throws {
        for (decay, follows) in [(1.0, false), (0.0, true)] {
            let (source, target, _) = pair(.own)
            let before = target.parameters.map { $0.value.detached().cloned() }
            MovingAverage(of: source, into: target, decay: .constant(decay), buffers: .own).update(firstStep)
            for (index, parameter) in target.parameters.enumerated() {
                expectSame(parameter.value.detached(), follows ? source.parameters[index].value.detached() : before[index])
            }
        }
    }
}
