import Foundation
import TestSupport
import Testing
import Torch

@testable import Methods

/// Losses of the redundancy-reduction methods against their formulas in float64 (generate_methods_joint.py), with wrong
/// variants that must be noticed, and values that theory gives.
@Suite struct RedundancyTests {
    private typealias Loss = ([Tensor]) -> Tensor

    private func expectNoticed(_ name: String, _ inputs: [String], _ wrong: [(String, Loss)]) throws {
        for (what, loss) in wrong { #expect(try mistake(name, inputs, loss) != nil, "\(what)") }
    }

    // MARK: Barlow Twins

    private func barlow(_ lambda: Double, _ a: Tensor, _ b: Tensor) -> Tensor {
        let parts = BarlowTwins.crossCorrelation(a, b, lambda)
        return parts.invariance + parts.redundancy
    }

    @Test func barlowTwins() throws {
        #expect(try mistake("barlow_twins", ["a", "b"]) { barlow(0.013, $0[0], $0[1]) } == nil)
        try expectNoticed(
            "barlow_twins", ["a", "b"],
            [
                ("default λ", { self.barlow(0.0051, $0[0], $0[1]) }),
                ("views of other samples", { self.barlow(0.013, $0[0].rolled(1, dimension: 0), $0[1]) }),
                ("one view alone", { self.barlow(0.013, $0[0], $0[0]) }),
                ("gradient through one view", { self.barlow(0.013, $0[0], $0[1].detached()) }),
                ("redundancy dropped", { BarlowTwins.crossCorrelation($0[0], $0[1], 0.013).invariance }),
                ("unbiased variance", { self.barlow(0.013, $0[0] / $0[0].standardDeviation(0), $0[1]) * 1.05 }),
            ])
    }

    @Test func barlowTwinsTheory() {
        Runtime.seed(3)
        // Orthogonal features: C = I.
        let orthogonal = Operation("linalg_qr").tuple(Tensor.randn([64, 17], .float64))[0]
        let centred = orthogonal - orthogonal.mean(0)
        let white = VIbCReg.whitened(centred * 8, group: 17, iterations: 20, epsilon: 0)
        let parts = BarlowTwins.crossCorrelation(white, white * 3 + 1, 1)
        #expect(parts.invariance.item < 1e-8 && parts.redundancy.item < 1e-8)
        // All features the same: C is 1 everywhere. Constant features: C = 0.
        let same = Tensor.randn([64, 1], .float64).expanded([64, 5])
        #expect((BarlowTwins.crossCorrelation(same, same, 0.5).redundancy.item - 10).magnitude < 1e-3)
        let constant = BarlowTwins.crossCorrelation(.ones([16, 5], .float64), .ones([16, 5], .float64), 1)
        #expect(constant.invariance.item == 5 && constant.redundancy.item == 0)
    }

    // MARK: VICReg, VIbCReg

    private func vicReg(_ s: Double, _ v: Double, _ c: Double, _ a: Tensor, _ b: Tensor) -> Tensor {
        VICReg.invariance(a, b) * s + (VICReg.variance(a) + VICReg.variance(b)) * v + (VICReg.covariance(a) + VICReg.covariance(b)) * c
    }

    @Test func vicReg() throws {
        #expect(try mistake("vicreg", ["a", "b"]) { self.vicReg(7, 11, 3, $0[0], $0[1]) } == nil)
        try expectNoticed(
            "vicreg", ["a", "b"],
            [
                ("default weights", { self.vicReg(25, 25, 1, $0[0], $0[1]) }),
                ("variance term missing", { self.vicReg(7, 0, 3, $0[0], $0[1]) }),
                ("covariance term missing", { self.vicReg(7, 11, 0, $0[0], $0[1]) }),
                ("mean of the variances", { self.vicReg(7, 5.5, 3, $0[0], $0[1]) }),
                ("invariance summed over features", { self.vicReg(7 * 32, 11, 3, $0[0], $0[1]) }),
                ("second view without gradient", { self.vicReg(7, 11, 3, $0[0], $0[1].detached()) }),
            ])
    }

    @Test func vicRegTheory() {
        let constant = Tensor.ones([16, 7], .float64) * 3
        // 1 − √ε without variance; identical views are invariant.
        #expect((VICReg.variance(constant).item - 0.99).magnitude < 1e-12)
        #expect(VICReg.invariance(constant, constant).item == 0 && VICReg.covariance(constant).item == 0)
        Runtime.seed(4)
        let z = Tensor.randn([4000, 6], .float64)
        #expect(VICReg.variance(z * 2).item == 0)
        #expect(VICReg.covariance(z).item < 0.01)
        let doubled = Tensor.concatenated([z, z], dimension: 1)
        // Each of the 12 features has one copy: Cov = 1 for 12 of the pairs, divided by d = 12.
        #expect((VICReg.covariance(doubled).item - 1).magnitude < 0.1)
    }

    @Test func vibCReg() throws {
        #expect(try mistake("vibcreg", ["a", "b"]) { VIbCReg.correlation($0[0]) + VIbCReg.correlation($0[1]) } == nil)
        try expectNoticed(
            "vibcreg", ["a", "b"],
            [
                ("covariance", { VICReg.covariance($0[0]) + VICReg.covariance($0[1]) }),
                (
                    "not centred",
                    { z in
                        z.map { ($0.normalized(0).t.matmul($0.normalized(0))).withDiagonal(0).squared().mean() }.reduce(z[0].sum() * 0, +)
                    }
                ),
                ("mean of the views", { (VIbCReg.correlation($0[0]) + VIbCReg.correlation($0[1])) / 2 }),
            ])
        let weights = try ReferenceValues.load("methods_joint")["iterative_normalisation.weights"]
        func whitening(_ group: Int, _ iterations: Int) -> Loss {
            { (VIbCReg.whitened($0[0], group: group, iterations: iterations) * weights).sum() }
        }
        #expect(try mistake("iterative_normalisation", ["a"], whitening(8, 4)) == nil)
        try expectNoticed(
            "iterative_normalisation", ["a"],
            [("one iteration less", whitening(8, 3)), ("one group", whitening(32, 4)), ("other groups", whitening(4, 4))])
    }

    // MARK: W-MSE

    /// A sub-batch without a full covariance is told by the loss, which a run reacts to; values that are nearly alike have one.
    @Test func collapsedFeaturesHaveNoWhitening() {
        #expect(WMSE.whitened(.ones([12, 3]), shrinkage: 0).isFinite().not.all().item == 1)
        Runtime.seed(3)
        let nearlyAlike = 1 + Tensor.randn([300, 128]) * 1e-5
        #expect(WMSE.whitened(nearlyAlike, shrinkage: 0).isFinite().all().item == 1)
    }

    private func wMSE(_ shrinkage: Double) -> Loss {
        { WMSE.distance($0.map { WMSE.whitened($0, shrinkage: shrinkage) }) }
    }

    @Test func wMSE() throws {
        #expect(try mistake("w_mse", ["a", "b", "c"], wMSE(0.05)) == nil)
        try expectNoticed(
            "w_mse", ["a", "b", "c"],
            [
                ("no shrinkage", wMSE(0)), ("no whitening", WMSE.distance),
                ("two of three views", { self.wMSE(0.05)(Array($0.prefix(2))) }),
                ("sum over pairs", { self.wMSE(0.05)($0) * 3 }),
            ])
    }

    @Test func whitenedIsWhite() {
        Runtime.seed(5)
        let v = Tensor.randn([50, 12], .float64).matmul(.randn([12, 12], .float64)) + 4
        let z = WMSE.whitened(v, shrinkage: 0)
        expectClose(z.mean(0), .zeros([12], .float64), .float64)
        expectClose(z.t.matmul(z) / 49, .eye(12, .float64), .float64)
        expectClose(WMSE.distance([z, z, z]), Tensor(scalar: 0.0), .float64)
    }

    // MARK: TiCo

    private func tiCo(_ decay: Double, _ weight: Double) -> Loss {
        {
            let parts = TiCo.parts($0[0], $0[1], $0[2].detached(), decay: decay, weight: weight)
            return parts.invariance + parts.contrast
        }
    }

    @Test func tiCo() throws {
        let inputs = ["a", "b", "covariance"]
        #expect(try mistake("tico", inputs, tiCo(0.7, 6)) == nil)
        let values = try ReferenceValues.load("methods_joint").under("tico")
        let made = TiCo.parts(values["a"], values["b"], values["covariance"], decay: 0.7, weight: 6)
        expectClose(made.newCovariance, values["new"], .float64)
        try expectNoticed(
            "tico", inputs,
            [
                ("other decay", tiCo(0.9, 6)), ("other weight", tiCo(0.7, 20)),
                ("views exchanged", { self.tiCo(0.7, 6)([$0[1], $0[0], $0[2]]) }),
                (
                    "covariance without gradient",
                    {
                        let new = TiCo.parts($0[0].detached(), $0[1], $0[2], decay: 0.7, weight: 6).newCovariance.detached()
                        let z = $0[0].normalized()
                        return TiCo.parts($0[0], $0[1], $0[2].detached(), decay: 0.7, weight: 0).invariance
                            + (z.matmul(new) * z).sum(1).mean() * 6
                    }
                ),
            ])
    }

    /// The covariance is state: it changes after the step, not by the loss, and is saved.
    @Test func tiCoKeepsItsCovariance() throws {
        Runtime.seed(6)
        let method = try TiCo(tiny(TiCo.Settings()), tinyContext())
        let batch = noise(2, 16)
        _ = method.loss(batch, firstStep)
        expectSame(try #require(method.stateDict["covariance"]), .zeros([8, 8]))
        let z = method.online(batch.views[0]).normalized().detached()
        _ = method.loss(batch, firstStep)
        method.afterStep(batch, firstStep)
        expectClose(try #require(method.stateDict["covariance"]), z.t.matmul(z) * (0.1 / 16), .float32)
    }

    // MARK: LeJEPA

    private func leJEPA(_ weight: Double, _ knots: Int, _ directions: Tensor) -> Loss {
        { LeJEPA.prediction($0[0]) * (1 - weight) + LeJEPA.gaussian($0[0], directions, knots: knots) * weight }
    }

    @Test func leJEPA() throws {
        let directions = try ReferenceValues.load("methods_joint")["lejepa.directions"]
        #expect(try mistake("lejepa", ["z"], leJEPA(0.3, 9, directions)) == nil)
        try expectNoticed(
            "lejepa", ["z"],
            [
                ("other knots", leJEPA(0.3, 17, directions)),
                ("a direction dropped", leJEPA(0.3, 9, directions.narrowed(1, from: 0, count: 5))),
                ("default weight", leJEPA(0.02, 9, directions)),
                (
                    "views joined",
                    {
                        LeJEPA.prediction($0[0]) * 0.7
                            + LeJEPA.gaussian($0[0].reshaped(1, 60, 32), directions, knots: 9) * 0.3
                    }
                ),
                (
                    "mean of all views",
                    { ($0[0].mean(0, keep: true) - $0[0]).squared().mean() * 0.7 + LeJEPA.gaussian($0[0], directions, knots: 9) * 0.3 }
                ),
            ])
    }

    /// Standard normal outputs have about the statistic's expectation; collapsed and scaled ones much more.
    @Test func gaussianityPrefersTheStandardNormal() {
        Runtime.seed(8)
        let (z, directions) = (Tensor.randn([2, 512, 8], .float64), Tensor.randn([8, 64], .float64).normalized(0))
        let normal = LeJEPA.gaussian(z, directions, knots: 17).item
        for other in [z * 0, z * 0.5, z * 2, z + 1, z.narrowed(2, from: 0, count: 1).expanded([2, 512, 8])] {
            #expect(LeJEPA.gaussian(other, directions, knots: 17).item > 5 * normal)
        }
    }
}
