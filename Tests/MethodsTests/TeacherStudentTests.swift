import Foundation
import TestSupport
import Testing
import Torch

@testable import Methods

/// SimSiam, DINO and SwAV against their formulas in float64 (generate_methods_joint.py), values of theory, and what their
/// state does.
@Suite struct TeacherStudentTests {
    private typealias Loss = ([Tensor]) -> Tensor

    private func expectNoticed(_ name: String, _ inputs: [String], _ wrong: [(String, Loss)]) throws {
        for (what, loss) in wrong { #expect(try mistake(name, inputs, loss) != nil, "\(what)") }
    }

    // MARK: SimSiam

    @Test func simSiam() throws {
        let inputs = ["pv", "pw", "a", "b"]
        func cosine(_ p: Tensor, _ z: Tensor) -> Tensor { (p.normalized() * z.normalized()).sum(1).mean() }
        #expect(try mistake("simsiam", inputs) { SimSiam.distance(($0[0], $0[1]), ($0[2], $0[3])) } == nil)
        try expectNoticed(
            "simsiam", inputs,
            [
                ("stop-gradient missing", { -(cosine($0[0], $0[3]) + cosine($0[1], $0[2])) / 2 }),
                ("sum of directions", { -(cosine($0[0], $0[3].detached()) + cosine($0[1], $0[2].detached())) }),
                ("one direction", { -cosine($0[0], $0[3].detached()) }),
                ("views not crossed", { SimSiam.distance(($0[0], $0[1]), ($0[3], $0[2])) }),
                ("no normalisation", { -(($0[0] * $0[3].detached()).sum(1).mean() + ($0[1] * $0[2].detached()).sum(1).mean()) / 2 }),
            ])
        let z = Tensor.randn([16, 32], .float64)
        expectClose(SimSiam.distance((z, z * 3), (z * 0.5, z)), Tensor(scalar: -1.0), .float64)
    }

    @Test func predictorStaysAtThePeakRate() throws {
        let method = try SimSiam(tiny(SimSiam.Settings()), tinyContext())
        let parts = method.phases[0].parts
        #expect(parts.count == 2 && parts[0].module === method.online && parts[1].module === method.predictor)
        #expect(!parts[0].hasConstantRate && parts[1].hasConstantRate)
        #expect(parts.reduce(0) { $0 + $1.module.parameterCount } == method.parameterCount)
    }

    /// The ablation of figure 2 on small networks: without stop-gradient and predictor all outputs become the same, with
    /// them they do not.
    @Test func withoutStopGradientItCollapses() {
        func deviation(_ loss: (Tensor, Tensor, MLP) -> Tensor) -> Double {
            Runtime.seed(9)
            let (f, h) = (MLP([24, 64, 64, 16], outputBatchNorm: false), MLP([16, 8, 16]))
            let optimizer = SGD([f, h].flatMap { $0.parameterGroups(weightDecay: 1e-3) }, momentum: 0.9)
            let images = Tensor.randn([128, 24])
            for _ in 0..<300 {
                let (v, w) = (images + Tensor.randn([128, 24]) * 0.3, images + Tensor.randn([128, 24]) * 0.3)
                f.clearGradients()
                h.clearGradients()
                loss(f(v), f(w), h).backward()
                optimizer.step(learningRate: 0.1)
            }
            // Of unit vectors, by √d: 1 when they spread over the sphere, 0 when they are the same.
            return (f(images).normalized().standardDeviation(0).mean() * 4).item
        }
        let right = deviation { a, b, h in SimSiam.distance((h(a), h(b)), (a, b)) }
        let collapsed = deviation { a, b, _ in -(a.normalized() * b.normalized()).sum(1).mean() }
        #expect(right > 0.3 && collapsed < 0.1, "\(right) and \(collapsed)")
    }

    // MARK: DINO

    @Test func dino() throws {
        let centre = try ReferenceValues.load("methods_joint")["dino.centre"]
        func loss(_ x: [Tensor], centre: Tensor, _ temperatures: (Double, Double) = (0.6, 0.25)) -> Tensor {
            DINO.distillation(
                Array(x[0..<3]), Array(x[3..<5]), centre: centre, studentTemperature: temperatures.0, teacherTemperature: temperatures.1)
        }
        let inputs = ["s0", "s1", "s2", "t0", "t1"]
        #expect(try mistake("dino", inputs) { loss($0, centre: centre) } == nil)
        try expectNoticed(
            "dino", inputs,
            [
                ("no centre", { loss($0, centre: centre * 0) }), ("centre added", { loss($0, centre: -centre) }),
                ("temperatures exchanged", { loss($0, centre: centre, (0.25, 0.6)) }),
                ("teachers exchanged", { loss([$0[0], $0[1], $0[2], $0[4], $0[3]], centre: centre) }),
                ("sum over pairs", { loss($0, centre: centre) * 4 }),
                (
                    "small view dropped",
                    {
                        DINO.distillation(
                            Array($0[0..<2]), Array($0[3..<5]), centre: centre, studentTemperature: 0.6, teacherTemperature: 0.25) + $0[2]
                            .sum() * 0
                    }
                ),
            ])
        // All scores equal: ln K.
        let flat = Tensor.ones([16, 40], .float64)
        expectClose(
            DINO.distillation([flat, flat], [flat, flat], centre: flat[0], studentTemperature: 0.1, teacherTemperature: 0.04),
            Tensor(scalar: log(40.0)), .float64)
    }

    private func makeDINO(_ change: (inout DINO.Settings) -> Void = { _ in }) throws -> DINO {
        Runtime.seed(7)
        var settings = try tiny(DINO.Settings())
        change(&settings)
        return try DINO(settings, tinyContext())
    }

    @Test func centreFollowsTheTeacher() throws {
        let method = try makeDINO()
        let batch = noise(2, 16)
        _ = method.loss(batch, firstStep)
        #expect(method.centre.value.value.doubles.allSatisfy { $0 == 0 })
        let outputs = method.teacher(.concatenated(batch.views)).detached()
        _ = method.loss(batch, firstStep)
        method.afterStep(batch, firstStep)
        expectClose(method.centre.value.value, outputs.mean(0) * 0.1, .float32)
        method.afterStep(batch, firstStep)
        expectClose(method.centre.value.value, outputs.mean(0) * 0.1, .float32, "moved without a loss")
        #expect(method.stateDict["centre.value"] != nil)
    }

    @Test func lastLayerIsFrozenAndNormalised() throws {
        let method = try makeDINO { $0.frozenEpochs = 2 }
        let last = try #require(method.student.projector as? PrototypeHead).last
        for epoch in 0..<3 {
            let step = Step(epoch: epoch, index: epoch, total: 10)
            method.clearGradients()
            method.loss(noise(2, 16), step).total.backward()
            #expect(last.weight.value.gradient != nil)
            method.beforeOptimizerStep(step)
            #expect((last.weight.value.gradient == nil) == (epoch < 2), "epoch \(epoch)")
        }
        let h = Tensor.randn([5, 32])
        let scores = method.student.projector(h)
        #expect(scores.abs().max().item <= 1.00001, "cosines")
        withoutGradients { last.weight.value.multiplyInPlace(7) }
        expectClose(method.student.projector(h), scores, .float32, "the gain is 1")
        let pixels = noise(1, 5).views[0]
        method.centre.value.value.normalInPlace(standardDeviation: 0.1)
        let sharpened = (method.teacher(pixels) - method.centre.value.value) / 0.04
        expectClose(try #require(method.targets(of: pixels)), sharpened.softmax(1), .float32)
    }

    /// Without centring one output wins for all images; with it, it does not: a small teacher and student on noise.
    @Test func withoutCentreOneOutputWins() {
        func entropyOfMean(momentum: Double) -> Double {
            Runtime.seed(10)
            func network() -> MLP { MLP([24, 64, 16], outputBatchNorm: false) }
            let (student, teacher, centre) = (network(), network(), Centre(width: 16, momentum: momentum))
            let average = MovingAverage(of: student, into: teacher, decay: .constant(0.9))
            average.begin()
            let optimizer = SGD(student.parameterGroups(weightDecay: 0), momentum: 0.9)
            let images = Tensor.randn([128, 24])
            for index in 0..<200 {
                let views = (0..<2).map { _ in images + Tensor.randn([128, 24]) * 0.3 }
                let outputs = withoutGradients { views.map { teacher($0) } }
                student.clearGradients()
                DINO.distillation(
                    views.map { student($0) }, outputs, centre: centre.value.value, studentTemperature: 0.5, teacherTemperature: 0.1
                ).backward()
                optimizer.step(learningRate: 0.1)
                average.update(Step(epoch: 0, index: index, total: 200))
                centre.update(.concatenated(outputs))
            }
            let mean = ((teacher(images) - centre.value.value) / 0.1).softmax(1).mean(0).detached().doubles
            return -mean.reduce(0) { $0 + $1 * log(max($1, 1e-30)) }
        }
        // A momentum of 1 leaves the centre at zero.
        let (centred, free) = (entropyOfMean(momentum: 0.9), entropyOfMean(momentum: 1))
        #expect(centred > 0.5 * log(16.0) && free < 0.3 * log(16.0), "\(centred) and \(free) of \(log(16.0))")
    }

    // MARK: SwAV

    @Test func sinkhorn() throws {
        let values = try ReferenceValues.load("methods_joint").under("sinkhorn")
        let (scores, expected) = (values["scores"], values["codes"])
        expectClose(SinkhornKnopp.assignments(scores, epsilon: 0.07, iterations: 3), expected, .float64)
        for (epsilon, iterations) in [(0.05, 3), (0.07, 2), (0.07, 4)] {
            let other = SinkhornKnopp.assignments(scores, epsilon: epsilon, iterations: iterations)
            #expect(difference(other, expected, .float64) != nil, "ε \(epsilon), \(iterations) iterations")
        }
        // Converged, prototypes are used alike; scores as large as float32 holds do not overflow; equal scores give 1/K.
        let codes = SinkhornKnopp.assignments(scores, epsilon: 0.07, iterations: 200)
        expectClose(codes.sum(0), .full([30], 20.0 / 30, .float64), .float32)
        expectClose(codes.sum(1), .ones([20], .float64), .float64)
        #expect(SinkhornKnopp.assignments((scores * 1000).to(.float32), epsilon: 0.05, iterations: 3).isFinite().all().item == 1)
        expectClose(SinkhornKnopp.assignments(.ones([6, 5]), epsilon: 0.05, iterations: 3), .full([6, 5], 0.2), .float32)
    }

    @Test func swav() throws {
        func loss(_ x: [Tensor], _ epsilon: Double = 0.3, _ iterations: Int = 4, _ temperature: Double = 0.2) -> Tensor {
            let codes = x.prefix(2).map { SinkhornKnopp.assignments($0, epsilon: epsilon, iterations: iterations) }
            return SwAV.swapped(x, codes, temperature: temperature)
        }
        let inputs = ["s0", "s1", "s2"]
        #expect(try mistake("swav", inputs) { loss($0) } == nil)
        try expectNoticed(
            "swav", inputs,
            [
                ("ε", { loss($0, 0.05) }), ("iterations", { loss($0, 0.3, 3) }), ("temperature", { loss($0, 0.3, 4, 0.1) }),
                ("small view dropped", { loss(Array($0.prefix(2))) + $0[2].sum() * 0 }),
                (
                    "not swapped",
                    {
                        loss([$0[1], $0[0], $0[2]]) * 0
                            + SwAV.swapped(
                                $0, $0.prefix(2).reversed().map { SinkhornKnopp.assignments($0, epsilon: 0.3, iterations: 4) },
                                temperature: 0.2)
                    }
                ),
                ("softmax for Sinkhorn", { x in SwAV.swapped(x, x.prefix(2).map { ($0.detached() / 0.3).softmax(1) }, temperature: 0.2) }),
            ])
        let flat = Tensor.zeros([16, 40], .float64)
        expectClose(loss([flat, flat]), Tensor(scalar: log(40.0)), .float64)
    }

    @Test func prototypesStayUnitAndQueuesWaitForTheirEpoch() throws {
        Runtime.seed(8)
        var settings = try tiny(SwAV.Settings())
        (settings.queueLength, settings.queueFromEpoch, settings.frozenEpochs, settings.smallViews) = (32, 1, 1, 0)
        let method = try SwAV(settings, tinyContext())
        expectClose(method.prototypes.weight.value.norm(1), .ones([12]), .float32)
        let batch = noise(2, 16)
        let (early, late) = (Step(epoch: 0, index: 0, total: 10), Step(epoch: 1, index: 5, total: 10))
        let alone = method.loss(batch, early).total.item
        method.afterStep(batch, early)
        expectClose(try #require(method.stateDict["queues.1.entries"])[0..<16].norm(1), .ones([16]), .float32)
        #expect(!method.queues[0].isFull)
        #expect((method.loss(batch, late).total.item - alone).magnitude < 1e-4, "a queue that is not full")
        method.afterStep(batch, late)
        // Rows that lie elsewhere change what is balanced.
        for queue in method.queues { queue.add(.randn([32, 8]).normalized()) }
        #expect(method.queues[0].isFull)
        #expect((method.loss(batch, early).total.item - alone).magnitude < 1e-4, "before its epoch")
        #expect((method.loss(batch, late).total.item - alone).magnitude > 1e-4, "in its epoch")
        withoutGradients { method.prototypes.weight.value.multiplyInPlace(3) }
        method.afterStep(batch, late)
        expectClose(method.prototypes.weight.value.norm(1), .ones([12]), .float32)
    }

    // MARK: DeepCluster v2

    /// Images in three groups.
    private struct Groups: RunServices {
        let sampleCount: Int
        let batchSize = 10
        var labels: [Int] { [Int](repeating: -1, count: sampleCount) }
        func features(_ body: (Tensor) -> Tensor) throws -> Tensor {
            let group = Tensor.arange(sampleCount).remainder(3).oneHot(3).to(.float32)
            return Tensor.concatenated([group, .zeros([sampleCount, 5])], dimension: 1) + Tensor.randn([sampleCount, 8]) * 0.02
        }
        func setOrder(_ indices: [Int]) {}
        func resetOptimizerState(of module: Module) {}
    }

    @Test func deepClusterV2() throws {
        let inputs = ["z0", "z1", "c0", "c1", "targets"]
        func loss(_ x: [Tensor], _ temperature: Double = 0.3) -> Tensor {
            DeepClusterV2.prediction([x[0], x[1]], [x[2].detached(), x[3].detached()], x[4], temperature: temperature)
        }
        #expect(try mistake("deepcluster_v2", inputs) { loss($0) } == nil)
        try expectNoticed(
            "deepcluster_v2", inputs,
            [
                ("temperature", { loss($0, 0.1) }), ("sets exchanged", { loss([$0[0], $0[1], $0[3], $0[2], $0[4]]) }),
                ("targets shifted", { loss([$0[0], $0[1], $0[2], $0[3], $0[4].rolled(1, dimension: 1)]) }), ("sum", { loss($0) * 2 }),
            ])
        let flat = Tensor.zeros([16, 8], .float64)
        expectClose(
            DeepClusterV2.prediction([flat], [flat], .zeros([1, 16], .int64), temperature: 0.1), Tensor(scalar: log(16.0)), .float64)
    }

    @Test func deepClusterV2ClustersAndStoresWhatItSaw() throws {
        Runtime.seed(11)
        var settings = try tiny(DeepClusterV2.Settings())
        (settings.prototypes, settings.smallViews) = (3, 0)
        let method = try DeepClusterV2(settings, tinyContext())
        let services = Groups(sampleCount: 100)
        try method.prepareRun(services)
        try method.prepareEpoch(0, services)
        for set in 0..<3 {
            // Every image is in the nearest cluster.
            let nearest = method.prototypes[set](method.banks[set % 2].entries.value).argmax(1)
            #expect(method.assignments.value[set].ints == nearest.ints, "set \(set)")
            #expect(Set(nearest.ints).count > 1)
            expectClose(method.prototypes[set].weight.value.norm(1), .ones([3]), .float32)
        }
        let batch = noise(2, 16)
        method.loss(batch, firstStep).total.backward()
        #expect(method.prototypes.allSatisfy { $0.weight.value.gradient == nil })
        let second = method.banks[1].entries.value.cloned()
        method.afterStep(batch, firstStep)
        expectClose(method.banks[1].entries.value[0..<16], method.online.together(batch.views)[1].normalized(), .float32)
        expectSame(method.banks[1].entries.value[16..<100], second[16..<100])
        settings.prototypes = 101
        #expect(
            message { try DeepClusterV2(settings, tinyContext()) }
                == "method.prototypes is 101, but there are only 100 images: ask for fewer")
    }
}
