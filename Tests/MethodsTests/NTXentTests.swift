import Foundation
import TestSupport
import Testing
import Torch

/// Against the paper's algorithm 1 in float64 (generate.py, `nt_xent`).
@Suite struct NTXentTests {
    private static let temperature = 0.37

    /// How loss or gradient differ from the reference; nil when they do not.
    private func mistake(_ loss: (Tensor) -> Tensor) throws -> String? {
        let values = try ReferenceValues.load("methods").under("nt_xent")
        let z = values["z"]
        z.requiresGradient = true
        let value = loss(z)
        value.backward()
        let gradient = try #require(z.gradient)
        return difference(value.detached(), values["loss"], .float64).map { "loss: \($0)" }
            ?? difference(gradient, values["gradient.z"], .float64).map { "gradient: \($0)" }
    }

    @Test func lossAndGradientAreThePapers() throws {
        #expect(try mistake { ContrastiveLoss.ntXent($0, temperature: Self.temperature) } == nil)
    }

    /// The loss, with places to go wrong.
    private struct Variant {
        var normalizes = true
        var masksItself = true
        var shift: Int?
        var gradientThroughBoth = true
        var scale = 1 / NTXentTests.temperature
        var rows: Range<Int>?
        var isSum = false
        var leavesPositiveOut = false

        func callAsFunction(_ z: Tensor) -> Tensor {
            let n = z.size(0) / 2
            let unit = normalizes ? z.normalized() : z
            var similarity = unit.matmul((gradientThroughBoth ? unit : unit.detached()).t) * scale
            if masksItself { similarity = similarity.withDiagonal(-.infinity) }
            let positive = Tensor.arange(2 * n).rolled(-(shift ?? n), dimension: 0)
            let attraction = similarity.gathered(1, positive.unsqueezed(1)).squeezed(1)
            if leavesPositiveOut {
                similarity = similarity.filled(-.infinity, where: positive.oneHot(2 * n).to(.bool))
            }
            let terms = (similarity.logSumExp(1) - attraction)[rows ?? 0..<2 * n]
            return isSum ? terms.sum() : terms.mean()
        }
    }

    @Test func wrongVariantsAreNoticed() throws {
        #expect(try mistake(Variant().callAsFunction) == nil, "the variant without a mistake")
        let wrong: [(String, Variant)] = [
            ("self-similarity not masked", Variant(masksItself: false)),
            ("positives shifted by one", Variant(shift: 25)),
            ("neighbours taken for positives", Variant(shift: 1)),
            ("sum for mean", Variant(isSum: true)),
            ("second direction dropped", Variant(rows: 0..<24)),
            ("first direction dropped", Variant(rows: 24..<48)),
            ("no normalisation", Variant(normalizes: false)),
            ("gradient through one side only", Variant(gradientThroughBoth: false)),
            ("temperature multiplied", Variant(scale: 0.37)),
            ("default temperature", Variant(scale: 2)),
            ("positive left out of the denominator", Variant(leavesPositiveOut: true)),
        ]
        for (name, variant) in wrong { #expect(try mistake(variant.callAsFunction) != nil, "\(name)") }
        let gradientOnly = try mistake(Variant(gradientThroughBoth: false).callAsFunction)
        #expect(gradientOnly?.hasPrefix("gradient") == true)
    }

    @Test func gradientIsTheDifferenceQuotient() {
        Runtime.seed(1)
        checkGradient(at: .randn([10, 6], .float64)) { ContrastiveLoss.ntXent($0[0], temperature: 0.6) }
    }

    @Test func equalSimilaritiesGiveTheLogarithmOfTheOthers() {
        for n in [1, 16, 40] {
            // All the same direction, of any length; and none alike.
            let same = Tensor.ones([2 * n, 32], .float64) * (Tensor.arange(2 * n, .float64).unsqueezed(1) + 1)
            let expected = Tensor(scalar: log(Double(2 * n - 1)))
            expectClose(ContrastiveLoss.ntXent(same, temperature: 0.2), expected, .float64)
            let orthogonal = Tensor.eye(2 * n, .float64) * 3
            expectClose(ContrastiveLoss.ntXent(orthogonal, temperature: 0.2), expected, .float64)
        }
    }

    @Test func perfectPairsApproachZero() {
        let images = Tensor.eye(16, .float64)
        let loss = ContrastiveLoss.ntXent(.concatenated([images, images * 5]), temperature: 0.01).item
        #expect(loss >= 0 && loss < 1e-10)
    }

    @Test func orderOfTheBatchDoesNotMatter() throws {
        let z = try ReferenceValues.load("methods")["nt_xent.z"]
        let loss = ContrastiveLoss.ntXent(z, temperature: 0.37)
        Runtime.seed(2)
        let order = Tensor.randomPermutation(24)
        let (v, w) = (z[0..<24], z[24..<48])
        expectClose(ContrastiveLoss.ntXent(.concatenated([v.rows(order), w.rows(order)]), temperature: 0.37), loss, .float64)
        expectClose(ContrastiveLoss.ntXent(.concatenated([w, v]), temperature: 0.37), loss, .float64, "views exchanged")
        expectClose(ContrastiveLoss.ntXent(z * 7, temperature: 0.37), loss, .float64, "scaled")
        let torn = ContrastiveLoss.ntXent(.concatenated([v.rows(order), w]), temperature: 0.37)
        #expect(difference(torn, loss, .float32) != nil, "one view permuted alone")
    }
}
