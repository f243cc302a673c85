import Foundation
import TestSupport
import Testing
import Torch

@testable import Methods

/// Losses on inputs whose value is known without computing (those of other methods stand in their own tests).
@Suite struct TheoryTests {
    private let flat = Tensor.ones([16, 8], .float64)

    /// Every score equal: ln of the batch.
    @Test func neighboursAlike() {
        let queue = Tensor.eye(8, .float64)
        expectClose(NNCLR.contrast((flat, flat), (flat, flat), queue, temperature: 0.1), Tensor(scalar: log(16.0)), .float64)
    }

    /// Every vector equal: ln(2N − 1), whoever is positive.
    @Test(arguments: [SupCon.Settings.Loss.out, .in]) func supConAllAlike(_ loss: SupCon.Settings.Loss) {
        let z = Tensor.concatenated([flat, flat])
        for labels in [Tensor.zeros([16], .int64), Tensor.arange(16)] {
            expectClose(SupCon.contrast(z, labels, temperature: 0.1, loss: loss), Tensor(scalar: log(31.0)), .float64)
        }
    }

    /// −1 for identical outputs, 1 for opposite ones.
    @Test func simSiamIdenticalAndOpposite() {
        let z = Tensor.randn([16, 8], .float64)
        expectClose(SimSiam.distance((z, z * 3), (z * 2, z)), Tensor(scalar: -1.0), .float64)
        expectClose(SimSiam.distance((z, z), (-z, -z)), Tensor(scalar: 1.0), .float64)
    }

    /// 0 for identical views, 4 for opposite ones: squared distances of unit vectors.
    @Test func wMSEIdenticalAndOpposite() {
        let z = WMSE.whitened(.randn([64, 8], .float64), shrinkage: 0)
        expectClose(WMSE.distance([z, z, z]), Tensor(scalar: 0.0), .float64)
        expectClose(WMSE.distance([z, -z]), Tensor(scalar: 4.0), .float64)
    }

    /// Features without correlation 0; features that are all one another, (d² − d) / d².
    @Test func correlationsOfNoneAndOfAll() {
        // Columns of a Hadamard matrix but the first: orthogonal, of mean 0.
        var hadamard = Tensor.ones([1, 1], .float64)
        for _ in 0..<4 {
            hadamard = .concatenated(
                [.concatenated([hadamard, hadamard], dimension: 1), .concatenated([hadamard, -hadamard], dimension: 1)])
        }
        let columns = hadamard.narrowed(1, from: 1, count: 8)
        expectClose(VIbCReg.correlation(columns), Tensor(scalar: 0.0), .float64)
        expectClose(VICReg.covariance(columns), Tensor(scalar: 0.0), .float64)
        let same = columns.narrowed(1, from: 0, count: 1).expanded([16, 8])
        expectClose(VIbCReg.correlation(same), Tensor(scalar: 56 / 64.0), .float64)
        // Several sets of rows: their mean.
        expectClose(VICReg.covariance(.stacked([columns, same])), VICReg.covariance(same) / 2, .float64)
        expectClose(VICReg.variance(.stacked([columns, columns * 0])), (VICReg.variance(columns) + 0.99) / 2, .float64)
    }

    /// All views of an image alike: nothing to predict.
    @Test func leJEPAIdenticalViews() {
        let z = Tensor.randn([16, 8], .float64)
        expectClose(LeJEPA.prediction(.stacked([z, z, z, z])), Tensor(scalar: 0.0), .float64)
    }

    /// Correlations that are the identity: only √ε is left.
    @Test func all4OneUncorrelatedFeatures() {
        let z = Tensor.eye(16, .float64)
        #expect(All4One.featureLoss([z, z], [z, z]).item < 1.1e-5)
        // All features one: 5·√0 + 5·√1.
        let one = Tensor.ones([16, 8], .float64)
        expectClose(All4One.featureLoss([one, one], [one, one]), Tensor(scalar: 5.0), Tolerance(relative: 1e-5, absolute: 0))
    }

    /// Prototypes that tell nothing: ln K, whatever the bags.
    @Test func bagsOfWordsAreSharesOfPlaces() {
        let words = Tensor.eye(8, .float64) * 4
        // Places of word 3 twice, of 5 once.
        let bags = BoWNet.bags((words.rows(Tensor([3, 5, 3])) + 0.1).unsqueezed(0), words)
        expectClose(bags, Tensor([0, 0, 0, 2 / 3.0, 0, 1 / 3.0, 0, 0], [1, 8]), .float64)
        expectClose(Tensor.zeros([1, 8], .float64).crossEntropy(bags), Tensor(scalar: log(8.0)), .float64)
    }
}
