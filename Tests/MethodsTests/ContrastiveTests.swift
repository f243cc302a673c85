import Foundation
import TestSupport
import Testing
import Torch

@testable import Methods

/// Losses of the contrastive methods against their formulas in float64 (generate_methods_joint.py), with wrong variants that
/// must be noticed, and values that theory gives.
@Suite struct ContrastiveTests {
    private typealias Loss = ([Tensor]) -> Tensor

    private func expectNoticed(_ name: String, _ inputs: [String], _ wrong: [(String, Loss)]) throws {
        for (what, loss) in wrong { #expect(try mistake(name, inputs, loss) != nil, "\(what)") }
    }

    private func queue() throws -> Tensor { try ReferenceValues.load("methods_joint")["queue"] }

    // MARK: MoCo

    @Test func moCo() throws {
        let queue = try queue()
        func loss(_ q: Tensor, _ k: Tensor, _ negatives: Tensor, _ temperature: Double = 0.31) -> Tensor {
            ContrastiveLoss.infoNCE(q, k, negatives: negatives, temperature: temperature)
        }
        #expect(try mistake("moco", ["a", "b"]) { loss($0[0], $0[1].detached(), queue) } == nil)
        try expectNoticed(
            "moco", ["a", "b"],
            [
                ("key with gradient", { loss($0[0], $0[1], queue) }),
                ("temperature", { loss($0[0], $0[1].detached(), queue, 0.2) }),
                ("a negative dropped", { loss($0[0], $0[1].detached(), queue[1..<30]) }),
                ("keys of other samples", { loss($0[0], $0[1].detached().rolled(1, dimension: 0), queue) }),
                ("queries and keys exchanged", { loss($0[1], $0[0].detached(), queue) }),
                (
                    "positive left out",
                    {
                        ($0[0].normalized().matmul(queue.t) / 0.31).logSumExp(1).mean()
                            - ($0[0].normalized() * $0[1].detached().normalized()).sum(1).mean() / 0.31
                    }
                ),
            ])
        // All similarities equal: ln(K + 1).
        let same = Tensor.ones([8, 5], .float64)
        expectClose(loss(same, same * 2, same[0..<1].normalized().expanded([30, 5])), Tensor(scalar: log(31.0)), .float64)
    }

    private func makeMoCo(_ change: (inout MoCo.Settings) -> Void = { _ in }) throws -> MoCo {
        Runtime.seed(3)
        var settings = try tiny(MoCo.Settings())
        change(&settings)
        return try MoCo(settings, tinyContext())
    }

    /// Keys enter the queue after the step, in the batch's order though they were shuffled; nothing else changes it.
    @Test(arguments: [1, 4]) func moCoQueuesItsKeys(_ parts: Int) throws {
        let method = try makeMoCo { $0.batchNormParts = parts }
        let batch = noise(2, 16)
        let before = method.queue.rows.cloned()
        let loss = method.loss(batch, firstStep).total
        expectSame(method.queue.rows, before)
        method.afterStep(batch, firstStep)
        expectSame(method.queue.rows[16..<24], before[16..<24])
        let keys = method.queue.rows[0..<16]
        expectClose(keys.norm(1), .ones([16]), .float32)
        let expected = ContrastiveLoss.infoNCE(
            method.online(batch.views[0], parts: parts), keys, negatives: before, temperature: 0.2)
        expectClose(loss.detached(), expected.detached(), .float32)
        if parts == 1 { expectClose(keys, method.target(batch.views[1]).normalized(), .float32) }
        method.afterStep(batch, firstStep)
        #expect(method.queue.added.value.ints == [16], "keys are queued once")
    }

    /// In evaluation mode batch statistics play no part, so that shuffling must not show.
    @Test func shufflingKeepsTheOrder() throws {
        let (one, four) = (try makeMoCo { $0.batchNormParts = 1 }, try makeMoCo { $0.batchNormParts = 4 })
        let batch = noise(2, 16)
        one.eval()
        four.eval()
        expectClose(four.loss(batch, firstStep).total, one.loss(batch, firstStep).total, .float32)
        one.train()
        four.train()
        #expect(difference(four.loss(batch, firstStep).total, one.loss(batch, firstStep).total, .float32) != nil)
    }

    @Test func symmetricIsTheSumOfBothDirections() throws {
        let (one, both) = (try makeMoCo { $0.batchNormParts = 1 }, try makeMoCo { ($0.batchNormParts, $0.symmetric) = (1, true) })
        var batch = noise(2, 16)
        let symmetric = both.loss(batch, firstStep).total.item
        let first = one.loss(batch, firstStep).total.item
        batch.views.reverse()
        #expect((symmetric - first - one.loss(batch, firstStep).total.item).magnitude < 1e-4)
        both.afterStep(batch, firstStep)
        #expect(both.queue.added.value.ints == [32])
    }

    @Test func moCoV3() throws {
        func loss(_ x: [Tensor], _ temperature: Double = 0.4) -> Tensor {
            MoCoV3.contrast((x[0], x[1]), (x[2], x[3]), temperature: temperature)
        }
        let inputs = ["pv", "pw", "a", "b"]
        #expect(try mistake("moco_v3", inputs) { loss($0) } == nil)
        try expectNoticed(
            "moco_v3", inputs,
            [
                ("temperature", { loss($0, 1) }), ("without 2τ", { loss($0) / 0.8 }),
                ("views not crossed", { loss([$0[0], $0[1], $0[3], $0[2]]) }),
                (
                    "keys with gradient",
                    {
                        ContrastiveLoss.infoNCE($0[0], $0[3], temperature: 0.4) * 0.8 + ContrastiveLoss.infoNCE(
                            $0[1], $0[2], temperature: 0.4) * 0.8
                    }
                ),
                ("one direction", { ContrastiveLoss.infoNCE($0[0], $0[3].detached(), temperature: 0.4) * 0.8 }),
            ])
        let same = Tensor.ones([16, 4], .float64)
        expectClose(loss([same, same, same, same], 0.5), Tensor(scalar: 2 * log(16.0)), .float64)
    }

    // MARK: Neighbours and relations

    @Test func nnclr() throws {
        let queue = try queue()
        func loss(_ x: [Tensor], _ queue: Tensor, _ temperature: Double = 0.23) -> Tensor {
            NNCLR.contrast((x[2], x[3]), (x[0], x[1]), queue, temperature: temperature)
        }
        let inputs = ["pv", "pw", "a", "b"]
        #expect(try mistake("nnclr", inputs) { loss($0, queue) } == nil)
        try expectNoticed(
            "nnclr", inputs,
            [
                ("temperature", { loss($0, queue, 0.1) }), ("other neighbours", { loss($0, queue[0..<15]) }),
                ("views not crossed", { loss([$0[1], $0[0], $0[2], $0[3]], queue) }), ("sum of directions", { loss($0, queue) * 2 }),
                (
                    "no neighbours",
                    {
                        (ContrastiveLoss.infoNCE($0[2].detached(), $0[1], temperature: 0.23)
                            + ContrastiveLoss.infoNCE($0[3].detached(), $0[0], temperature: 0.23)) / 2
                    }
                ),
            ])
    }

    @Test func reSSL() throws {
        let queue = try queue()
        func loss(_ s: Tensor, _ t: Tensor, _ temperatures: (Double, Double) = (0.21, 0.09)) -> Tensor {
            ReSSL.relation(s, t, queue, temperatures: (temperatures.0, temperatures.1))
        }
        #expect(try mistake("ressl", ["a", "b"]) { loss($0[0], $0[1]) } == nil)
        try expectNoticed(
            "ressl", ["a", "b"],
            [
                ("temperatures exchanged", { loss($0[0], $0[1], (0.09, 0.21)) }), ("teacher and student exchanged", { loss($0[1], $0[0]) }),
                ("one temperature", { loss($0[0], $0[1], (0.21, 0.21)) }),
                ("other samples", { loss($0[0], $0[1].rolled(1, dimension: 0)) }),
            ])
        // A teacher without preference: ln K at least, and that when the student has none either.
        let flat = Tensor.ones([4, 32], .float64).normalized()
        let orthogonal = Tensor.zeros([30, 32], .float64)
        expectClose(ReSSL.relation(flat, flat, orthogonal, temperatures: (0.1, 0.04)), Tensor(scalar: log(30.0)), .float64)
    }

    // MARK: DCL

    @Test func dcl() throws {
        func loss(_ temperature: Double, _ sigma: Double?) -> Loss {
            { DCL.decoupled($0[0], temperature: temperature, weightTemperature: sigma) }
        }
        #expect(try mistake("dcl", ["z"], loss(0.27, nil)) == nil)
        #expect(try mistake("dclw", ["z"], loss(0.27, 0.6)) == nil)
        try expectNoticed(
            "dcl", ["z"],
            [
                ("weighted", loss(0.27, 0.6)), ("temperature", loss(0.1, nil)),
                ("coupled", { ContrastiveLoss.ntXent($0[0], temperature: 0.27) }),
            ])
        try expectNoticed("dclw", ["z"], [("unweighted", loss(0.27, nil)), ("other σ", loss(0.27, 0.5))])
        // All similarities equal: −1/τ + ln(2N − 2) + 1/τ; the weights are 1.
        for sigma in [nil, 0.5] {
            expectClose(
                DCL.decoupled(.ones([32, 7], .float64), temperature: 0.2, weightTemperature: sigma), Tensor(scalar: log(30.0)), .float64)
        }
    }

    // MARK: SupCon

    @Test func supCon() throws {
        func loss(_ kind: SupCon.Settings.Loss, _ temperature: Double = 0.24, labels: @escaping (Tensor) -> Tensor = { $0 }) -> Loss {
            { SupCon.contrast($0[0], labels($0[1]), temperature: temperature, loss: kind) }
        }
        let inputs = ["z", "labels"]
        #expect(try mistake("supcon_out", inputs, loss(.out)) == nil)
        #expect(try mistake("supcon_in", inputs, loss(.in)) == nil)
        let unlabelled: (Tensor) -> Tensor = { $0.zerosLike() - Tensor(scalar: 1) }
        for (name, right, other) in [("supcon_out", SupCon.Settings.Loss.out, SupCon.Settings.Loss.in), ("supcon_in", .in, .out)] {
            try expectNoticed(
                name, inputs,
                [
                    ("the other loss", loss(other)), ("temperature", loss(right, 0.1)), ("labels unused", loss(right, labels: unlabelled)),
                    ("labels shifted", loss(right, labels: { $0.rolled(1, dimension: 0) })),
                    ("unlabelled taken for one class", loss(right, labels: { $0 + Tensor(scalar: 1) })),
                ])
        }
        // Without labels it is NT-Xent.
        let z = try ReferenceValues.load("methods_joint")["dcl.z"]
        let none = Tensor([Int](repeating: -1, count: 20))
        for kind in [SupCon.Settings.Loss.out, .in] {
            expectClose(SupCon.contrast(z, none, temperature: 0.3, loss: kind), ContrastiveLoss.ntXent(z, temperature: 0.3), .float64)
        }
    }

    // MARK: Instance discrimination

    @Test func nce() throws {
        func loss(_ x: [Tensor], _ normalizer: Double = 321.5, _ samples: Int = 900) -> Tensor {
            ContrastiveBank.nce(x[0], x[1], normalizer: Tensor(scalar: normalizer), samples: samples)
        }
        let inputs = ["positive", "noise"]
        #expect(try mistake("nce", inputs) { loss($0) } == nil)
        try expectNoticed(
            "nce", inputs,
            [
                ("normaliser", { loss($0, 300) }), ("other number of samples", { loss($0, 321.5, 901) }),
                ("mean over noise", { loss([$0[0], $0[1]]) / 35 }),
                ("a noise sample dropped", { loss([$0[0], $0[1].narrowed(1, from: 0, count: 34)]) }),
            ])
    }

    @Test func exactSoftmax() throws {
        let bank = try ReferenceValues.load("methods_joint")["local_aggregation.bank"]
        func loss(_ x: [Tensor], _ temperature: Double = 0.17, count: Int = 60) -> Tensor {
            ContrastiveBank.softmax(x[0], bank[0..<count], x[1].clamped(0, Double(count - 1)).to(.int64), temperature: temperature)
        }
        #expect(try mistake("exact_softmax", ["v", "indices"]) { loss($0) } == nil)
        try expectNoticed(
            "exact_softmax", ["v", "indices"],
            [
                ("temperature", { loss($0, 0.07) }), ("an image left out", { loss($0, count: 59) }),
                ("other images", { loss([$0[0], $0[1].rolled(1, dimension: 0)]) }), ("sum", { loss($0) * 20 }),
            ])
        // All similarities equal: ln of the images.
        let same = Tensor.ones([8, 5], .float64).normalized()
        let even = ContrastiveBank.softmax(same, same[0..<1].expanded([30, 5]), .arange(8), temperature: 0.07)
        expectClose(even, Tensor(scalar: log(30.0)), .float64)

        Runtime.seed(4)
        var settings = try tiny(InstanceDiscrimination.Settings())
        settings.negatives = 0
        let method = try InstanceDiscrimination(settings, tinyContext())
        let batch = noise(1, 16)
        let before = method.memory.bank.entries.value.cloned()
        #expect(method.loss(batch, firstStep).parts.map(\.name) == ["contrast"])
        let v = method.online(batch.views[0]).normalized().detached()
        method.afterStep(batch, firstStep)
        expectClose(method.memory.bank.entries.value[0..<16], (before[0..<16] * 0.5 + v * 0.5).normalized(), .float32)
        #expect(method.memory.normalizer.value.item == 0)
    }

    @Test func bankAndNormalizerFollowTheBatches() throws {
        Runtime.seed(4)
        let method = try InstanceDiscrimination(tiny(InstanceDiscrimination.Settings()), tinyContext())
        let batch = noise(1, 16)
        let before = method.memory.bank.entries.value.cloned()
        _ = method.loss(batch, firstStep)
        let v = method.online(batch.views[0]).normalized().detached()
        _ = method.loss(batch, firstStep)
        #expect(method.memory.normalizer.value.item == 0)
        expectSame(method.memory.bank.entries.value, before)
        method.afterStep(batch, firstStep)
        let z = method.memory.normalizer.value.item
        #expect(z > 0)
        expectClose(method.memory.bank.entries.value[0..<16], (before[0..<16] * 0.5 + v * 0.5).normalized(), .float32)
        expectSame(method.memory.bank.entries.value[16..<100], before[16..<100])
        // Z is estimated once.
        _ = method.loss(batch, firstStep)
        method.afterStep(batch, firstStep)
        #expect(method.memory.normalizer.value.item == z)
    }

    @Test func theProximalTermIsTheDistanceToThePast() throws {
        Runtime.seed(5)
        var settings = try tiny(InstanceDiscrimination.Settings())
        settings.proximalWeight = 3
        let method = try InstanceDiscrimination(settings, tinyContext())
        let batch = noise(1, 16)
        let losses = method.loss(batch, firstStep)
        let v = method.online(batch.views[0]).normalized()
        #expect(losses.parts.map(\.name) == ["contrast", "proximal"])
        expectClose(losses.parts[1].value, (v - method.memory.bank(batch.indices)).squared().sum(1).mean() * 3, .float32)
    }

    // MARK: Triplet

    @Test func triplet() throws {
        func loss(_ mining: Triplet.Settings.Mining, _ margin: Double = 0.3) -> Loss {
            { Triplet.triplet($0[0], margin: margin, mining: mining) }
        }
        #expect(try mistake("triplet_semi_hard", ["z"], loss(.semiHard)) == nil)
        #expect(try mistake("triplet_hardest", ["z"], loss(.hardest)) == nil)
        try expectNoticed(
            "triplet_semi_hard", ["z"],
            [
                ("hardest", loss(.hardest)), ("margin", loss(.semiHard, 0.2)),
                ("views shifted", { Triplet.triplet($0[0].rolled(1, dimension: 0), margin: 0.3, mining: .semiHard) * 1.01 }),
            ])
        try expectNoticed("triplet_hardest", ["z"], [("semi-hard", loss(.semiHard)), ("sum", { loss(.hardest)($0) * 40 })])
        // Alike views of images far apart: no loss. Everything alike: the margin.
        let apart = Tensor.eye(16, .float64)
        #expect(Triplet.triplet(.concatenated([apart, apart * 2]), margin: 0.3, mining: .hardest).item == 0)
        expectClose(Triplet.triplet(.ones([32, 4], .float64), margin: 0.3, mining: .semiHard), Tensor(scalar: 0.3), .float64)
    }
}
