import Backbones
import Foundation
import TestSupport
import Testing
import Torch

@testable import Methods

/// What the trainer would do, of features in three clear groups; keeps what it is told.
private final class Groups: RunServices {
    let sampleCount = 100
    let batchSize = 10
    var labels: [Int] { [Int](repeating: -1, count: sampleCount) }
    var order: [Int] = []
    var reset: [Module] = []

    func features(_ body: (Tensor) -> Tensor) throws -> Tensor {
        let group = Tensor.arange(sampleCount).remainder(3).oneHot(3).to(.float32)
        return Tensor.concatenated([group, .zeros([sampleCount, 5])], dimension: 1) + Tensor.randn([sampleCount, 8]) * 0.02
    }
    func setOrder(_ indices: [Int]) { order = indices }
    func resetOptimizerState(of module: Module) { reset.append(module) }
}

/// Losses against their formulas in float64 (generate_methods_joint.py), with wrong variants that must be noticed; what is kept
/// between steps and epochs.
@Suite struct ClusteringTests {
    private typealias Loss = ([Tensor]) -> Tensor

    private func expectNoticed(_ name: String, _ inputs: [String], _ wrong: [(String, Loss)]) throws {
        for (what, loss) in wrong { #expect(try mistake(name, inputs, loss) != nil, "\(what)") }
    }

    // MARK: DeepCluster

    @Test func deepClusterClustersAndBeginsItsHeadAnew() throws {
        Runtime.seed(11)
        var settings = try tiny(DeepCluster.Settings())
        (settings.clusters, settings.pcaWidth) = (3, 2)
        let method = try DeepCluster(settings, tinyContext())
        let services = Groups()
        try method.prepareRun(services)
        try method.prepareEpoch(0, services)
        let found = method.assignments.value.ints
        #expect(Set(found).count == 3)
        for sample in 3..<100 { #expect(found[sample] == found[sample % 3], "sample \(sample)") }
        #expect(services.reset.count == 1 && services.reset[0] === method.classifier)
        #expect(method.classifier.bias?.value.abs().max().item == 0)
        let spread = method.classifier.weight.value.detached().squared().mean().item.squareRoot()
        #expect((spread - 0.01).magnitude < 0.003)
        let before = method.classifier.weight.value.detached().cloned()
        try method.prepareEpoch(1, services)
        #expect(difference(method.classifier.weight.value.detached(), before, .exact) != nil)

        let batch = noise(1, 16)
        let logits = method.classifier(method.encoder(batch.views[0]))
        let loss = method.loss(batch, firstStep)
        expectClose(loss.total, logits.crossEntropy(method.assignments.value[0..<16]), .float32)
        settings.clusters = 101
        #expect(
            message { try DeepCluster(settings, tinyContext()) } == "method.clusters is 101, but there are only 100 images: ask for fewer")
    }

    /// Section 3.3: uniform over clusters, whatever their sizes.
    @Test func everyClusterComesEquallyOften() {
        // 900 in cluster 0, 90 in cluster 4, 10 in cluster 7, none in the others.
        let assignments = (0..<1000).map { $0 < 900 ? 0 : $0 < 990 ? 4 : 7 }
        let order = DeepCluster.evenOrder(of: assignments, seed: 3)
        #expect(order.count == 1000)
        let counts = Dictionary(grouping: order) { assignments[$0] }.mapValues(\.count)
        #expect(counts.keys.sorted() == [0, 4, 7] && counts.values.allSatisfy { (332...334).contains($0) }, "\(counts)")
        // Of a large cluster none comes twice; of a small one all come.
        let large = order.filter { assignments[$0] == 0 }
        #expect(Set(large).count == large.count)
        #expect(Set(order.filter { assignments[$0] == 7 }).count == 10)
        #expect(DeepCluster.evenOrder(of: assignments, seed: 3) == order && DeepCluster.evenOrder(of: assignments, seed: 4) != order)
        // Not cluster by cluster.
        #expect(Set(order.prefix(100).map { assignments[$0] }).count == 3)
    }

    @Test func whitenedFeaturesAreWhite() throws {
        Runtime.seed(12)
        let h = Tensor.randn([400, 12]).matmul(.randn([12, 12])) + 3
        let reduced = try DeepCluster.whitened(h, width: 6)
        #expect(reduced.shape == [400, 6])
        expectClose(reduced.norm(1), .ones([400]), .float32)
        // Of length 1 the covariance of white directions is I/6.
        let covariance = reduced.t.matmul(reduced) / 400
        #expect((covariance - Tensor.eye(6) / 6).abs().max().item < 0.03)
        #expect(try DeepCluster.whitened(h, width: 99).shape == [400, 12])
    }

    // MARK: Local Aggregation

    @Test func localAggregation() throws {
        let bank = try ReferenceValues.load("methods_joint")["local_aggregation.bank"]
        let inputs = ["v", "assignments", "indices"]
        func loss(_ x: [Tensor], neighbours: Int = 17, _ temperature: Double = 0.21, shift: Int = 0, runs: Range<Int> = 0..<3) -> Tensor {
            let own = Tensor.arange(60).equal(x[2].rolled(shift, dimension: 0).unsqueezed(1))
            let close = LocalAggregation.close(x[1][runs], x[2])
            return LocalAggregation.aggregation(x[0], bank, own: own, close: close, neighbours: neighbours, temperature: temperature)
        }
        #expect(try mistake("local_aggregation", inputs) { loss($0) } == nil)
        try expectNoticed(
            "local_aggregation", inputs,
            [
                ("neighbours", { loss($0, neighbours: 18) }), ("temperature", { loss($0, 0.1) }),
                ("indices shifted", { loss($0, shift: 1) }),
                ("one clustering", { loss($0, runs: 0..<1) }), ("all are background", { loss($0, neighbours: 60) }),
                ("no cluster taken for one", { loss([$0[0], $0[1] + 1, $0[2]]) }),
            ])
        // All close: nothing to gain. None but itself, and all alike: ln of the background.
        let (v, same) = (Tensor.ones([4, 8], .float64).normalized(), Tensor.ones([30, 8], .float64).normalized())
        let own = Tensor.arange(30).equal(Tensor.arange(4).unsqueezed(1))
        func value(_ close: Tensor) -> Double {
            LocalAggregation.aggregation(v, same, own: own, close: close, neighbours: 30, temperature: 0.1).item
        }
        #expect(value(own.equal(own)).magnitude < 1e-12)
        #expect((value(own) - log(30.0)).magnitude < 1e-12)
    }

    @Test func localAggregationClustersAfterItsFirstEpochs() throws {
        Runtime.seed(13)
        let method = try LocalAggregation(tiny(LocalAggregation.Settings()), tinyContext())
        let services = Groups()
        try method.prepareEpoch(0, services)
        #expect(method.assignments.value.max().item == -1)
        try method.prepareEpoch(1, services)
        #expect(method.assignments.value.min().item == 0 && method.assignments.value.max().item == 11)
        #expect(method.assignments.value[0].ints != method.assignments.value[1].ints, "clusterings begin elsewhere")
        let batch = noise(1, 16)
        let before = method.bank.entries.value.cloned()
        _ = method.loss(batch, firstStep)
        expectSame(method.bank.entries.value, before)
        let v = method.online(batch.views[0]).normalized().detached()
        method.afterStep(batch, firstStep)
        expectClose(method.bank.entries.value[0..<16], (before[0..<16] * 0.5 + v * 0.5).normalized(), .float32)
        expectSame(method.bank.entries.value[16..<100], before[16..<100])
    }

    // MARK: SMoG

    @Test func smog() throws {
        let inputs = ["q", "z", "other", "groups"]
        func loss(_ x: [Tensor], _ momentum: Double = 0.6, _ temperature: Double = 0.4, through z: (Tensor) -> Tensor = { $0 }) -> Tensor {
            let groups = x[3].detached()
            let moved = SMoG.updated(groups, z(x[1]), momentum: momentum)
            return SMoG.grouping(x[0], moved, x[2], before: groups, temperature: temperature)
        }
        #expect(try mistake("smog", inputs) { loss($0) } == nil)
        try expectNoticed(
            "smog", inputs,
            [
                ("momentum", { loss($0, 0.99) }), ("temperature", { loss($0, 0.6, 0.1) }),
                ("groups without gradient", { loss($0) { $0.detached() } }),
                ("the batch's own view chooses", { loss([$0[0], $0[1], $0[1], $0[3]]) }),
                ("other samples choose", { loss([$0[0], $0[1], $0[2].rolled(1, dimension: 0), $0[3]]) }),
                (
                    "groups stand still",
                    { SMoG.grouping($0[0], $0[3].detached() + $0[1].sum() * 0, $0[2], before: $0[3].detached(), temperature: 0.4) }
                ),
            ])
        let values = try ReferenceValues.load("methods_joint").under("smog")
        expectClose(SMoG.updated(values["groups"], values["z"], momentum: 0.6), values["moved"], .float64)
        // All scores equal: ln K.
        let flat = Tensor.ones([16, 8], .float64)
        expectClose(SMoG.grouping(flat, flat, flat, before: flat, temperature: 0.1), Tensor(scalar: log(16.0)), .float64)
    }

    @Test func groupsFollowAndAreMadeAnew() throws {
        Runtime.seed(14)
        var settings = try tiny(SMoG.Settings())
        settings.queueLength = 32
        let method = try SMoG(settings, tinyContext())
        let batch = noise(2, 16)
        let before = method.groups.value.cloned()
        _ = method.loss(batch, firstStep)
        expectSame(method.groups.value, before)
        let z = method.online(batch.views[0]).normalized()
        let other = method.target(batch.views[1]).normalized()
        let expected = SMoG.updated(before, z, momentum: 0.99).detached().normalized()
        method.afterStep(batch, firstStep)
        expectClose(method.groups.value, expected, .float32)
        expectClose(method.queue.rows[0..<16], other, .float32)
        // The second step fills the queue, and is one at which the groups are made anew: of what the queue has.
        let second = Step(epoch: 0, index: 1, total: 10)
        _ = method.loss(batch, second)
        method.afterStep(batch, second)
        let nearest = method.queue.rows.matmul(method.groups.value.t).max(1).mean().item
        #expect(nearest > method.queue.rows.matmul(expected.t).max(1).mean().item + 0.05)
        expectClose(method.groups.value.norm(1), .ones([12]), .float32)
    }

    // MARK: OBoW

    @Test func obow() throws {
        let inputs = ["h", "weights", "maps", "words"]
        func loss(_ x: [Tensor], _ inverse: Double = 0.07, _ kappa: Double = 1.7, shift: Int = 0) -> Tensor {
            let squared = OBoW.squaredDistances(x[2].detached(), x[3].detached())
            let bag = OBoW.bag(squared, scale: Tensor(scalar: inverse).to(.float64)).rolled(shift, dimension: 0)
            return OBoW.divergence(x[0], x[1], from: bag, kappa: kappa)
        }
        #expect(try mistake("obow", inputs) { loss($0) } == nil)
        try expectNoticed(
            "obow", inputs,
            [
                ("delta", { loss($0, 0.1) }), ("kappa", { loss($0, 0.07, 1) }), ("bags of other images", { loss($0, shift: 1) }),
                ("one place", { loss([$0[0], $0[1], $0[2].narrowed(2, from: 0, count: 1), $0[3]]) }),
                ("a word moved", { loss([$0[0], $0[1], $0[2], $0[3].rolled(1, dimension: 0)]) }),
                (
                    "mean over places",
                    { x in
                        let codes = (OBoW.squaredDistances(x[2].detached(), x[3].detached()) * -0.07).softmax(2)
                        return OBoW.divergence(x[0], x[1], from: codes.mean(1), kappa: 1.7)
                    }
                ),
            ])
        let values = try ReferenceValues.load("methods_joint").under("obow")
        let squared = OBoW.squaredDistances(values["maps"], values["words"])
        expectClose(OBoW.bag(squared, scale: Tensor(scalar: 0.07).to(.float64)), values["bag"], .float64)
        // A prediction that is the bag: 0. Words alike, told by weights alike: both uniform, 0 too.
        let flat = Tensor.ones([5, 8], .float64)
        let even = OBoW.bag(.ones([5, 4, 30], .float64), scale: Tensor(scalar: 1.0).to(.float64))
        expectClose(even, .full([5, 30], 1 / 30.0, .float64), .float64)
        #expect(OBoW.divergence(flat, flat[0..<1].expanded([30, 8]), from: even, kappa: 8).item.magnitude < 1e-12)
    }

    @Test func vocabulariesAreQueuesOfTheTeachersFeatures() throws {
        Runtime.seed(17)
        let method = try OBoW(tiny(OBoW.Settings()), tinyContext(imageSize: 64))
        #expect(method.vocabularies.map { $0.rows.shape } == [[24, 16], [24, 32]])
        #expect(method.generators.map { $0.layers.layers.count } == [4, 4])
        let batch = Batch(
            views: [64, 46, 46, 27, 27].map { (Tensor.rand([16, 3, $0, $0]) * 256).to(.uint8) }, indices: .arange(16), labels: .arange(16))
        let before = method.vocabularies.map { $0.rows.cloned() }
        func nearest() -> [Double] {
            withoutGradients {
                zip(method.teacher.maps(batch.views[0], at: ["layer3", "layer4"]), method.vocabularies).map {
                    OBoW.squaredDistances(OBoW.withoutBorder($0), $1.rows).min(2).mean().item
                }
            }
        }
        let losses = method.loss(batch, firstStep)
        #expect(losses.parts.map(\.name) == ["words_46", "words_27"] && losses.measures.map(\.name) == ["words_per_image"])
        losses.total.backward()
        #expect(method.teacher.parameters.allSatisfy { $0.value.gradient == nil })
        #expect(method.student.parameters.allSatisfy { $0.value.gradient != nil })
        #expect(method.generators.allSatisfy { $0.parameters.allSatisfy { $0.value.gradient != nil } })
        for (vocabulary, rows) in zip(method.vocabularies, before) { expectSame(vocabulary.rows, rows) }
        let firstNearest = nearest()
        #expect(method.distances.value.floats == [0, 0])
        method.afterStep(batch, firstStep)
        for (vocabulary, rows) in zip(method.vocabularies, before) {
            expectSame(vocabulary.rows[16..<24], rows[16..<24])
            // Averages of what a ReLU gave.
            #expect(vocabulary.rows[0..<16].min().item >= 0 && vocabulary.added.value.ints == [16])
        }
        for (mean, seen) in zip(method.distances.value.floats, firstNearest) { #expect((Double(mean) / seen - 1).magnitude < 1e-5) }
        // A mean of what was seen, later a moving one.
        for (index, share) in [(1, 0.5), (5000, 0.01)] {
            method.distances.set(.ones([2]))
            let expected = nearest().map { 1 - share + share * $0 }
            _ = method.loss(batch, Step(epoch: 1, index: index, total: 10000))
            method.afterStep(batch, firstStep)
            for (mean, seen) in zip(method.distances.value.floats, expected) { #expect((Double(mean) / seen - 1).magnitude < 1e-5) }
        }
        let settings = try with(tiny(OBoW.Settings()), ["levels": ["layer9"]])
        #expect(
            message { try OBoW(settings, tinyContext()) }
                == "method.levels names 'layer9', which backbone resnet18 has not: choose among stem, layer1, layer2, layer3, layer4")
    }

    // MARK: PIRL

    @Test func pirl() throws {
        let negatives = try ReferenceValues.load("methods_joint")["queue"][0..<23]
        let inputs = ["m", "f", "g"]
        func loss(_ x: [Tensor], _ negatives: Tensor, _ weight: Double = 0.3, _ temperature: Double = 0.37) -> Tensor {
            func term(_ b: Tensor) -> Tensor { PIRL.nce(x[0].detached(), b, negatives: negatives, temperature: temperature) }
            return term(x[2]) * weight + term(x[1]) * (1 - weight)
        }
        #expect(try mistake("pirl", inputs) { loss($0, negatives) } == nil)
        try expectNoticed(
            "pirl", inputs,
            [
                ("weights exchanged", { loss($0, negatives, 0.7) }), ("temperature", { loss($0, negatives, 0.3, 0.2) }),
                ("a negative dropped", { loss($0, negatives[1..<23]) }),
                ("bank shifted", { loss([$0[0].rolled(1, dimension: 0), $0[1], $0[2]], negatives) }),
                (
                    "without the negatives' terms",
                    { x in
                        func term(_ b: Tensor) -> Tensor {
                            ((b.matmul(negatives.t) / 0.37).logSumExp(1) - (x[0].detached() * b).sum(1) / 0.37).softplus().mean()
                        }
                        return term(x[2]) * 0.3 + term(x[1]) * 0.7
                    }
                ),
            ])
        // All similarities equal, of K negatives: ln(K + 1) and K times ln(1 + 1/K).
        let same = Tensor.ones([4, 8], .float64).normalized()
        let expected = log(31.0) + 30 * log(1 + 1 / 30.0)
        #expect((PIRL.nce(same, same, negatives: same[0..<1].expanded([30, 8]), temperature: 0.1).item - expected).magnitude < 1e-12)
    }

    /// Every patch is a piece of its own cell, nine of an image after each other; places differ between images.
    @Test func patchesComeFromTheirCells() {
        Runtime.seed(15)
        let side = 36
        // Each pixel says where it is: row, column, image.
        let row = Tensor.arange(side).reshaped(1, 1, side, 1).expanded([6, 1, side, side])
        let column = Tensor.arange(side).reshaped(1, 1, 1, side).expanded([6, 1, side, side])
        let image = Tensor.arange(6).reshaped(6, 1, 1, 1).expanded([6, 1, side, side])
        let patches = PIRL.patches(.concatenated([row, column, image], dimension: 1).to(.uint8))
        #expect(patches.shape == [54, 3, 10, 10])
        var corners: Set<[Int]> = []
        for place in 0..<54 {
            let values = patches[place].ints
            let (top, left) = (values[0], values[100])
            #expect(values[200] == place / 9)
            let (cellRow, cellColumn) = (place % 9 / 3, place % 3)
            #expect((cellRow * 12...cellRow * 12 + 2).contains(top) && (cellColumn * 12...cellColumn * 12 + 2).contains(left))
            #expect(values[99] == top + 9 && values[199] == left + 9)
            corners.insert([top % 12, left % 12])
        }
        #expect(corners.count > 5)
    }

    @Test(arguments: [PIRL.Settings.Transform.jigsaw, .rotation]) func bankFollowsTheImageAsItIs(_ transform: PIRL.Settings.Transform)
        throws
    {
        Runtime.seed(16)
        var settings = try tiny(PIRL.Settings())
        settings.transform = transform
        let method = try PIRL(settings, tinyContext())
        #expect(method.transformedHead.weight.value.shape == (transform == .jigsaw ? [8, 72] : [8, 32]))
        let batch = noise(2, 16)
        let before = method.bank.entries.value.cloned()
        let loss = method.loss(batch, firstStep)
        #expect(loss.parts.map(\.name) == ["transformed", "image"])
        loss.total.backward()
        #expect(method.parameters.allSatisfy { $0.value.gradient != nil })
        let f = method.online(batch.views[0]).normalized().detached()
        method.afterStep(batch, firstStep)
        expectClose(method.bank.entries.value[0..<16], (before[0..<16] * 0.5 + f * 0.5).normalized(), .float32)
        expectSame(method.bank.entries.value[16..<100], before[16..<100])
    }
}
