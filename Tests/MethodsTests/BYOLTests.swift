import Foundation
import TestSupport
import Testing
import Torch

@testable import Methods

/// The loss against the paper's eq. 2 in float64 (generate.py, `byol`), and what the target does.
@Suite struct BYOLTests {
    private typealias Pair = (v: Tensor, w: Tensor)

    private func mistake(_ loss: (Pair, Pair) -> Tensor) throws -> String? {
        let values = try ReferenceValues.load("methods").under("byol")
        let inputs = ["qv", "qw", "zv", "zw"].map { (name: $0, tensor: values[$0]) }
        for input in inputs { input.tensor.requiresGradient = true }
        let value = loss((inputs[0].tensor, inputs[1].tensor), (inputs[2].tensor, inputs[3].tensor))
        value.backward()
        if let found = difference(value.detached(), values["loss"], .float64) { return "loss: \(found)" }
        for (name, tensor) in inputs {
            guard let expected = values[optional: "gradient.\(name)"] else {
                if tensor.gradient != nil { return "\(name) has a gradient" }
                continue
            }
            guard let gradient = tensor.gradient else { return "\(name) has no gradient" }
            if let found = difference(gradient, expected, .float64) { return "gradient by \(name): \(found)" }
        }
        return nil
    }

    @Test func lossAndGradientAreThePapers() throws { #expect(try mistake(BYOL.regression) == nil) }

    @Test func wrongVariantsAreNoticed() throws {
        func distance(_ q: Tensor, _ z: Tensor) -> Tensor { (q.normalized() - z.normalized()).squared().sum(-1) }
        let right = try mistake { q, z in distance(q.v, z.w.detached()).mean() + distance(q.w, z.v.detached()).mean() }
        #expect(right == nil)
        let wrong: [(String, (Pair, Pair) -> Tensor)] = [
            ("stop-gradient missing", { q, z in distance(q.v, z.w).mean() + distance(q.w, z.v).mean() }),
            ("second direction dropped", { q, z in distance(q.v, z.w.detached()).mean() }),
            ("first direction dropped", { q, z in distance(q.w, z.v.detached()).mean() }),
            ("mean of the directions", { q, z in (distance(q.v, z.w.detached()).mean() + distance(q.w, z.v.detached()).mean()) / 2 }),
            ("views not crossed", { q, z in distance(q.v, z.v.detached()).mean() + distance(q.w, z.w.detached()).mean() }),
            ("sum over the batch", { q, z in distance(q.v, z.w.detached()).sum() + distance(q.w, z.v.detached()).sum() }),
            (
                "mean over the features",
                { q, z in
                    (q.v.normalized() - z.w.detached().normalized()).squared().mean()
                        + (q.w.normalized() - z.v.detached().normalized()).squared().mean()
                }
            ),
            (
                "no normalisation",
                { q, z in (q.v - z.w.detached()).squared().sum(-1).mean() + (q.w - z.v.detached()).squared().sum(-1).mean() }
            ),
            (
                "samples shifted",
                { q, z in
                    distance(q.v, z.w.detached().rolled(1, dimension: 0)).mean() + distance(q.w, z.v.detached()).mean()
                }
            ),
        ]
        for (name, variant) in wrong { #expect(try mistake(variant) != nil, "\(name)") }
        #expect(try mistake(wrong[0].1) == "zv has a gradient")
    }

    @Test func gradientIsTheDifferenceQuotient() {
        Runtime.seed(1)
        let inputs = (0..<4).map { _ in Tensor.randn([5, 6], .float64) }
        let (zv, zw) = (inputs[2], inputs[3])
        checkGradient(at: inputs[0], inputs[1]) { BYOL.regression(($0[0], $0[1]), (zv, zw)) }
    }

    @Test func identicalViewsGiveZeroAndOppositeOnesEight() {
        Runtime.seed(2)
        let z = Tensor.randn([16, 32], .float64)
        expectClose(BYOL.regression((z, z * 3), (z * 0.2, z)), Tensor(scalar: 0.0), .float64)
        expectClose(BYOL.regression((z, z), (-z, -z * 2)), Tensor(scalar: 8.0), .float64)
    }

    // MARK: The method

    private func method(decay: Schedule = .cosine(from: 0.9, to: 1)) throws -> BYOL {
        Runtime.seed(7)
        var settings = BYOL.Settings()
        (settings.hiddenWidth, settings.outputWidth, settings.targetDecay) = (24, 12, decay)
        return try BYOL(settings, tinyContext())
    }

    @Test func headShapesAndKeys() throws {
        let method = try method()
        func weights(_ prefix: String) -> [String: [Int]] {
            var found: [String: [Int]] = [:]
            for (key, parameter) in method.namedParameters where key.hasPrefix(prefix) {
                found[String(key.dropFirst(prefix.count))] = parameter.value.shape
            }
            return found
        }
        let head = ["0.weight": [24, 32], "1.weight": [24], "1.bias": [24], "3.weight": [12, 24], "3.bias": [12]]
        #expect(weights("online.projector.") == head)
        #expect(weights("target.projector.") == head)
        #expect(weights("predictor.") == head.merging(["0.weight": [24, 12]]) { $1 })
        let published = try BYOL(BYOL.Settings(), tinyContext())
        #expect(published.stateDict["predictor.0.weight"]?.shape == [4096, 256])
        #expect(published.stateDict["online.projector.3.weight"]?.shape == [256, 4096])
    }

    @Test func lossIsThatOfItsParts() throws {
        let method = try method()
        // Away from the online network, which it equals at first.
        withoutGradients { for parameter in method.target.parameters { parameter.value.addInPlace(.randn(parameter.value.shape) * 0.1) } }
        let batch = noise(2, 16)
        let losses = method.loss(batch, firstStep)
        #expect(losses.parts.map(\.name) == ["regression"])
        func unit(_ tensor: Tensor) -> Tensor { tensor.detached().to(.float64).normalized() }
        let (v, w) = (batch.views[0], batch.views[1])
        let cosines = [
            (unit(method.predictor(method.online(v))) * unit(method.target(w))).sum(-1).mean().item,
            (unit(method.predictor(method.online(w))) * unit(method.target(v))).sum(-1).mean().item,
        ]
        #expect((losses.total.item - (4 - 2 * cosines[0] - 2 * cosines[1])).magnitude < 1e-5)
        // Far enough from what a forgotten direction or uncrossed views would give.
        #expect((losses.total.item - (4 - 4 * cosines[0])).magnitude > 1e-4)
        let straight = (unit(method.predictor(method.online(v))) * unit(method.target(v))).sum(-1).mean().item
        #expect((cosines[0] - straight).magnitude > 1e-4)
    }

    @Test func targetBeginsEqualAndGetsNoGradient() throws {
        let method = try method()
        let (online, target) = (method.online.stateDict, method.target.stateDict)
        #expect(!online.isEmpty && Set(online.keys) == Set(target.keys))
        for (key, tensor) in online {
            expectSame(try #require(target[key]), tensor, "\(key)")
            #expect(target[key]?.address != tensor.address, "\(key) is shared")
        }
        method.loss(noise(2, 16), firstStep).total.backward()
        for (key, parameter) in method.namedParameters {
            let isTarget = key.hasPrefix("target.")
            #expect((parameter.value.gradient == nil) == isTarget, "\(key)")
            #expect(parameter.isTrainable == !isTarget, "\(key)")
        }
    }

    /// ξ ← τξ + (1 − τ)θ, τ = 1 − (1 − τ₀)(cos(πk/K) + 1)/2.
    @Test func targetFollowsTheSchedule() throws {
        let method = try method()
        let key = "encoder.layer3.0.conv2.weight"
        var expected = try #require(method.target.stateDict[key]).doubles
        let start = expected
        let total = 7
        for index in 0..<total {
            withoutGradients { for parameter in method.online.parameters { parameter.value.addInPlace(.randn(parameter.value.shape)) } }
            let source = try #require(method.online.stateDict[key]).doubles
            method.movingAverages.forEach { $0.update(Step(epoch: 0, index: index, total: total)) }
            let decay = 1 - (1 - 0.9) * (cos(Double.pi * Double(index) / Double(total)) + 1) / 2
            expected = zip(expected, source).map { decay * $0 + (1 - decay) * $1 }
            let found = try #require(method.target.stateDict[key])
            expectClose(found, Tensor(expected, found.shape), Tolerance(relative: 1e-6, absolute: 1e-6), "step \(index)")
        }
        #expect(zip(start, expected).contains { ($0 - $1).magnitude > 0.1 })
        #expect(method.movingAverages.count == 1 && method.movingAverages[0].target === method.target)
    }

    /// In training the target normalises by its own batch, not by running statistics.
    @Test func targetUsesItsBatchsStatistics() throws {
        let method = try method()
        let batch = noise(2, 16)
        let loss = method.loss(batch, firstStep).total.item
        #expect(method.target.stateDict["encoder.bn1.num_batches_tracked"]?.ints == [2])
        method.target.eval()
        #expect((method.loss(batch, firstStep).total.item - loss).magnitude > 1e-4)
    }
}
