import Foundation
import TestSupport
import Testing

@testable import Torch

/// 25 steps with a falling learning rate, in float64, against `torch.optim` (SGD, Adam, AdamW) and against the papers'
/// formulas in NumPy (LARS, LAMB). The gradient at w in step t is noise[t] + w / 2.
@Suite struct OptimizerTests {
    /// Three parameters of different rank, one of them in channels-last order, and their gradients.
    final class Problem: Module {
        let matrix: Parameter
        let kernel: Parameter
        let vector: Parameter
        private let noise: [Tensor]
        let rates: [Double]
        private let values: ReferenceValues

        init(_ type: DataType = .float64) throws {
            let values = try ReferenceValues.load("optimizers")
            matrix = Parameter(values["start.matrix"].to(type))
            kernel = Parameter(values["start.kernel"].to(type).contiguous(.channelsLast))
            vector = Parameter(values["start.vector"].to(type))
            noise = ["matrix", "kernel", "vector"].map { values["noise.\($0)"].to(type) }
            rates = values["rates"].doubles
            self.values = values
        }

        func groups(_ decay: Double, decayingVectors: Bool = false) -> [ParameterGroup] {
            parameterGroups(weightDecay: decay, decayingVectors: decayingVectors)
        }

        func step(_ t: Int, _ optimizer: any Optimizer, scale: Double) {
            for (parameter, noise) in zip(parameters, noise) {
                parameter.value.gradient = noise[t] + parameter.value.detached() / 2
            }
            optimizer.step(learningRate: scale * rates[t])
        }

        func run(_ optimizer: any Optimizer, scale: Double, steps: Range<Int> = 0..<25) {
            for t in steps { step(t, optimizer, scale: scale) }
        }

        func difference(from kind: String, after steps: Int, _ tolerance: Tolerance) -> String? {
            for (name, parameter) in namedParameters {
                if let found = TestSupport.difference(parameter.value, values["\(kind).\(steps).\(name)"], tolerance) {
                    return "\(kind), \(name) after \(steps): \(found)"
                }
            }
            return nil
        }
    }

    typealias Make = @Sendable (Problem) -> any Optimizer

    static let kinds: [(name: String, scale: Double, make: Make)] = [
        ("sgd", 0.1, { SGD($0.groups(0), momentum: 0) }),
        ("sgd_momentum", 0.05, { SGD($0.groups(0.01), momentum: 0.9) }),
        ("sgd_nesterov", 0.05, { SGD($0.groups(0.01), momentum: 0.8, nesterov: true) }),
        ("adam", 0.05, { Adam($0.groups(0.02), betas: (0.8, 0.95), epsilon: 1e-6) }),
        ("adamw", 0.05, { Adam($0.groups(0.1), betas: (0.9, 0.98), decouplesWeightDecay: true) }),
        ("lars", 2, { LARS($0.groups(0.01), momentum: 0.9, trustCoefficient: 0.02) }),
        ("lars_clipped", 0.3, { LARS($0.groups(0.05), momentum: 0.9, trustCoefficient: 0.5, clipsLearningRate: true) }),
        ("lamb", 0.05, { LAMB($0.groups(0.05), betas: (0.85, 0.97), epsilon: 1e-6) }),
    ]

    @Test(arguments: kinds.indices) func matchesTheReference(_ index: Int) throws {
        let (name, scale, make) = Self.kinds[index]
        let problem = try Problem()
        let optimizer = make(problem)
        problem.run(optimizer, scale: scale, steps: 0..<1)
        #expect(problem.difference(from: name, after: 1, .float64) == nil)
        problem.run(optimizer, scale: scale, steps: 1..<25)
        #expect(problem.difference(from: name, after: 25, .float64) == nil)
    }

    @Test(arguments: kinds.indices) func matchesTheReferenceInSinglePrecision(_ index: Int) throws {
        let (name, scale, make) = Self.kinds[index]
        let problem = try Problem(.float32)
        problem.run(make(problem), scale: scale)
        #expect(problem.difference(from: name, after: 25, Tolerance(relative: 1e-4, absolute: 2e-5)) == nil)
    }

    /// Near misses of each rule are told apart.
    @Test func wrongVariantsAreSeen() throws {
        let wrong: [(name: String, scale: Double, make: Make)] = [
            ("sgd_momentum", 0.05, { SGD($0.groups(0.01), momentum: 0.9, nesterov: true) }),
            ("sgd_momentum", 0.05, { SGD($0.groups(0.01, decayingVectors: true), momentum: 0.9) }),
            ("adam", 0.05, { Adam($0.groups(0.02), betas: (0.8, 0.95), epsilon: 1e-6, decouplesWeightDecay: true) }),
            ("adamw", 0.05, { Adam($0.groups(0.1), betas: (0.9, 0.98)) }),
            ("lars", 2, { LARS($0.groups(0.01), momentum: 0.9, trustCoefficient: 0.001) }),
            ("lars_clipped", 0.3, { LARS($0.groups(0.05), momentum: 0.9, trustCoefficient: 0.5) }),
            // Everything adapted; nothing adapted.
            ("lars", 2, { LARS([ParameterGroup($0.parameters, weightDecay: 0.01)], momentum: 0.9, trustCoefficient: 0.02) }),
            ("lamb", 0.05, { LAMB([ParameterGroup($0.parameters, weightDecay: 0.05)], betas: (0.85, 0.97), epsilon: 1e-6) }),
            (
                "lamb", 0.05,
                { problem in
                    var groups = problem.groups(0.05)
                    groups[0].isAdapted = false
                    return LAMB(groups, betas: (0.85, 0.97), epsilon: 1e-6)
                }
            ),
        ]
        for (name, scale, make) in wrong {
            let problem = try Problem()
            problem.run(make(problem), scale: scale)
            #expect(problem.difference(from: name, after: 25, Tolerance(relative: 1e-5, absolute: 1e-5)) != nil, "\(name)")
        }
    }

    /// Saved after 10 steps, to a file and back, into a new optimiser of new parameters: not a bit differs after 25.
    @Test(arguments: kinds.indices) func savedStateContinuesBitForBit(_ index: Int) throws {
        let (name, scale, make) = Self.kinds[index]
        let straight = try Problem(.float32)
        straight.run(make(straight), scale: scale)

        let first = try Problem(.float32)
        let optimizer = make(first)
        first.run(optimizer, scale: scale, steps: 0..<10)
        try withTemporaryFolder { folder in
            try Safetensors.write(optimizer.state, to: "\(folder)/optimizer.safetensors")
            try Safetensors.write(first.stateDict, to: "\(folder)/weights.safetensors")
            // What runs on must not change what was saved.
            first.run(optimizer, scale: scale, steps: 10..<12)

            let second = try Problem(.float32)
            let resumed = make(second)
            try second.load(try Safetensors.read("\(folder)/weights.safetensors").tensors)
            try resumed.load(try Safetensors.read("\(folder)/optimizer.safetensors").tensors)
            second.run(resumed, scale: scale, steps: 10..<25)
            for (own, other) in zip(straight.namedParameters, second.namedParameters) {
                expectSame(own.parameter.value, other.parameter.value, "\(name) \(own.key)")
            }
        }
    }

    @Test func loadedStateIsACopy() throws {
        let problem = try Problem(.float32)
        let optimizer = SGD(problem.groups(0))
        problem.run(optimizer, scale: 0.1, steps: 0..<2)
        let saved = optimizer.state.mapValues { $0.cloned() }
        let other = SGD(problem.groups(0))
        try other.load(saved)
        problem.run(other, scale: 0.1, steps: 2..<4)
        for (key, value) in optimizer.state { expectSame(value, saved[key]!, "\(key)") }
    }

    @Test func stateOfOtherParametersIsRefused() throws {
        let problem = try Problem()
        let optimizer = Adam(problem.groups(0))
        problem.run(optimizer, scale: 0.1, steps: 0..<1)
        #expect(Set(optimizer.state.keys) == Set((0..<3).flatMap { i in ["mean", "square", "step"].map { "\(i).\($0)" } }))
        var state = optimizer.state.mapValues { $0.cloned() }
        state["0.mean"] = nil
        state["1.square"] = Tensor.zeros([2, 2])
        state["7.mean"] = Tensor.zeros([1])
        let before = optimizer.state.mapValues { $0.cloned() }
        let error = #expect(throws: StateDictMismatch.self) { try optimizer.load(state) }
        #expect(error?.missing == ["0.mean"] && error?.unexpected == ["7.mean"] && error?.misshapen.map(\.key) == ["1.square"])
        for (key, value) in optimizer.state { expectSame(value, before[key]!, "\(key)") }
    }

    @Test func parametersWithoutGradientAreLeftAlone() throws {
        for make in Self.kinds.map(\.make) {
            let problem = try Problem()
            let optimizer = make(problem)
            let before = problem.stateDict.mapValues { $0.cloned() }
            optimizer.step(learningRate: 1)
            for (key, value) in problem.stateDict { expectSame(value, before[key]!) }
            #expect(optimizer.state.isEmpty)
            problem.matrix.value.gradient = problem.matrix.value.detached()
            optimizer.step(learningRate: 0.1)
            expectSame(problem.stateDict["kernel"]!, before["kernel"]!)
            #expect(problem.stateDict["matrix"]!.doubles != before["matrix"]!.doubles)
        }
    }

    /// A zero weight or a zero gradient must not divide by zero.
    @Test func layerWiseRatesSurviveZeros() {
        for make in [{ LARS($0) }, { LAMB($0) }] as [([ParameterGroup]) -> any Optimizer] {
            let zeroWeight = Parameter(.zeros([3, 3]))
            let zeroGradient = Parameter(.ones([3, 3]))
            let optimizer = make([ParameterGroup([zeroWeight, zeroGradient])])
            zeroWeight.value.gradient = .ones([3, 3])
            zeroGradient.value.gradient = .zeros([3, 3])
            optimizer.step(learningRate: 0.1)
            expectClose(zeroWeight.value, Tensor.full([3, 3], -0.1), .float32)
            expectSame(zeroGradient.value.detached(), .ones([3, 3]))
        }
    }

    @Test func groupsScaleTheRate() {
        let (a, b) = (Parameter(.ones([2])), Parameter(.ones([2])))
        let optimizer = SGD([ParameterGroup([a]), ParameterGroup([b], learningRateScale: 10)], momentum: 0)
        for parameter in [a, b] { parameter.value.gradient = .ones([2]) }
        optimizer.step(learningRate: 0.01)
        expectClose(a.value, .full([2], 0.99), .float32)
        expectClose(b.value, .full([2], 0.9), .float32)
        optimizer.clearGradients()
        #expect(a.value.gradient == nil && b.value.gradient == nil)
    }

    @Test func vectorsAndFrozenParametersGroupApart() {
        let network = Sequential(Linear(3, 4), BatchNorm(4), Linear(4, 2))
        network.layers[2].setTrainable(false)
        let groups = network.parameterGroups(weightDecay: 0.1, learningRateScale: 2)
        #expect(groups.map { $0.parameters.map(\.value.shape) } == [[[4, 3]], [[4], [4], [4]]])
        #expect(groups.map(\.weightDecay) == [0.1, 0] && groups.map(\.isAdapted) == [true, false])
        #expect(groups.map(\.learningRateScale) == [2, 2])
        #expect(network.parameterGroups(weightDecay: 0.1, decayingVectors: true).map(\.weightDecay) == [0.1, 0.1])
    }

    /// The fused kernels walk memory, not indices: a gradient in another layout than its parameter's must still match.
    @Test(arguments: kinds.indices) func gradientsInAnotherLayoutCount(_ index: Int) throws {
        let (name, _, make) = Self.kinds[index]
        func stepped(_ format: MemoryFormat) throws -> Tensor {
            let problem = try Problem()
            let optimizer = make(problem)
            problem.kernel.value.gradient = (problem.kernel.value.detached() * 2 + 1).contiguous(format)
            optimizer.step(learningRate: 0.1)
            return problem.kernel.value.detached()
        }
        expectClose(try stepped(.contiguous), try stepped(.channelsLast), .float64, "\(name)")
    }
}
