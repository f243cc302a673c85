import Foundation
import TestSupport
import Testing
import Torch

@testable import Methods

/// Noise-contrastive estimation and negative sampling against their formulas in float64 (generate_noise_contrastive.py).
@Suite struct NoiseContrastiveTests {
    private typealias Loss = (_ data: Tensor, _ noise: Tensor, _ q: (Tensor, Tensor)) -> Tensor

    /// How loss or gradients differ from the reference; nil when they do not.
    private func mistake(_ name: String, _ loss: Loss) throws -> String? {
        let values = try ReferenceValues.load("noise_contrastive")
        let (center, context, seen, noise) = (values["center"], values["context"], values["seen"], values["noise"])
        let logQ = UnigramNoise(counts: values["counts"].ints).logProbabilities
        for leaf in [center, context] { leaf.requiresGradient = true }
        func q(_ words: Tensor) -> Tensor { logQ.rows(words.flattened()).reshaped(words.shape) }
        let others = context.rows(noise.flattened()).reshaped(20, 7, 32)
        let value = loss((center * context.rows(seen)).sum(1), others.matmul(center.unsqueezed(-1)).squeezed(-1), (q(seen), q(noise)))
        if let found = difference(value.detached(), values["\(name).loss"], .float64) { return "loss: \(found)" }
        value.backward()
        return try difference(#require(center.gradient), values["\(name).gradient.center"], .float64)
            ?? difference(#require(context.gradient), values["\(name).gradient.context"], .float64)
    }

    @Test func noiseContrastive() throws {
        func loss(_ data: Tensor, _ noise: Tensor, _ q: (Tensor, Tensor)) -> Tensor {
            ContrastiveLoss.noiseContrastive(data, noise, dataLogNoise: q.0, noiseLogNoise: q.1)
        }
        #expect(try mistake("nce", loss) == nil)
        let (word, all) = (log(50.0), log(7.0))
        let alike: Loss = { loss($0, $1, ($2.0 * 0 - word, $2.1 * 0 - word)) }
        let withoutCount: Loss = { loss($0, $1, ($2.0 - all, $2.1 - all)) }
        let fewer: Loss = { data, noise, q in
            loss(data, noise.narrowed(1, from: 0, count: 6), (q.0, q.1.narrowed(1, from: 0, count: 6)))
        }
        let wrong: [(String, Loss)] = [
            ("no correction", { data, noise, _ in ContrastiveLoss.negativeSampling(data, noise) }), ("noise alike for all", alike),
            ("k left out", withoutCount), ("a noise sample dropped", fewer),
        ]
        for (what, loss) in wrong { #expect(try mistake("nce", loss) != nil, "\(what)") }
        // A model that is the noise itself, with k = 1, cannot tell: ln 2 for each.
        let logQ = Tensor([-1.0, -2, -3, -4])
        let even = loss(logQ, logQ.unsqueezed(1), (logQ, logQ.unsqueezed(1)))
        #expect((even.item - 2 * log(2)).magnitude < 1e-12)
    }

    @Test func negativeSampling() throws {
        #expect(try mistake("negative_sampling") { data, noise, _ in ContrastiveLoss.negativeSampling(data, noise) } == nil)
        let wrong: [(String, Loss)] = [
            ("signs exchanged", { data, noise, _ in ContrastiveLoss.negativeSampling(-data, -noise) }),
            ("mean over noise", { data, noise, _ in (-data).softplus().mean() + noise.softplus().mean() }),
            ("with the correction", { ContrastiveLoss.noiseContrastive($0, $1, dataLogNoise: $2.0, noiseLogNoise: $2.1) }),
        ]
        for (what, loss) in wrong { #expect(try mistake("negative_sampling", loss) != nil, "\(what)") }
        // Scores of 0: ln 2 for the word and for each of k.
        let value = ContrastiveLoss.negativeSampling(.zeros([5], .float64), .zeros([5, 9], .float64)).item
        #expect((value - 10 * log(2)).magnitude < 1e-12)
    }

    @Test func noiseIsDrawnByThePower() throws {
        let values = try ReferenceValues.load("noise_contrastive")
        let noise = UnigramNoise(counts: values["counts"].ints)
        let q = values["q"].doubles
        for (word, log) in noise.logProbabilities.doubles.enumerated() { #expect((exp(log) - q[word]).magnitude < 1e-12) }
        Runtime.seed(6)
        let drawn = noise.sample(2000, 100)
        #expect(drawn.shape == [2000, 100])
        let counts = drawn.flattened().counts(50).doubles
        #expect(counts[3] == 0)
        for word in 0..<50 {
            #expect((counts[word] - 200_000 * q[word]).magnitude < 5 * (200_000 * q[word]).squareRoot() + 1, "word \(word)")
        }
        #expect(UnigramNoise(counts: [1, 100, 7], power: 0).logProbabilities.doubles.allSatisfy { ($0 + log(3)).magnitude < 1e-12 })
    }

    @Test func frequentWordsAreThinnedOut() {
        #expect(Subsampling.keepProbability(frequency: 1e-6, threshold: 1e-5) == 1)
        #expect((Subsampling.keepProbability(frequency: 0.1, threshold: 1e-5) - 0.01).magnitude < 1e-12)
        #expect((Subsampling.keepProbability(frequency: 4e-5, threshold: 1e-5) - 0.5).magnitude < 1e-12)
    }
}

/// What needs float32 is computed in it though the networks run in bfloat16.
@Suite struct AutocastTests {
    private func sameAsFloat32(_ method: some SelfSupervisedMethod, _ online: ProjectedEncoder, _ loss: ([Tensor]) -> Tensor) {
        let batch = noise(2, 32)
        Runtime.seed(21)
        let mixed = autocast(.bfloat16, on: .cpu) { method.loss(batch, firstStep) }
        #expect(mixed.total.dataType == .float32)
        Runtime.seed(21)
        let z = autocast(.bfloat16, on: .cpu) { online.together(batch.views) }
        #expect(z[0].dataType == .bfloat16)
        expectClose(mixed.total.detached(), loss(z.map { $0.to(.float32) }).detached(), .float32)
    }

    @Test func whiteningIsInFloat32() throws {
        Runtime.seed(20)
        let method = try WMSE(tiny(WMSE.Settings()), tinyContext())
        sameAsFloat32(method, method.online) { z in
            let order = Tensor.randomPermutation(32)
            return WMSE.distance(z.map { .concatenated($0.rows(order).chunks(2).map { WMSE.whitened($0, shrinkage: 0) }) })
        }
    }

    @Test func gaussianityIsInFloat32() throws {
        Runtime.seed(22)
        let settings = try with(tiny(LeJEPA.Settings()), ["smallViews": 0])
        let method = try LeJEPA(settings, tinyContext())
        sameAsFloat32(method, method.online) { z in
            let (all, directions) = (Tensor.stacked(z), Tensor.randn([8, 10]).normalized(0))
            return LeJEPA.prediction(all) * 0.98 + LeJEPA.gaussian(all, directions, knots: 17) * 0.02
        }
    }
}
