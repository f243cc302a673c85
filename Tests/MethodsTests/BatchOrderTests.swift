import Backbones
import Foundation
import TestSupport
import Testing
import Torch
import Views

@testable import Methods

/// What the order of a batch, and its division, mean to every registered method's loss.
@Suite struct BatchOrderTests {
    /// Without what is drawn for each sample by its place in the batch: parts and orders of batch normalisation, noise of a memory
    /// bank, dropped colours, mixed images, sub-batches of whitening.
    private static var still: [String: Any] {
        [
            "batchNormParts": 1, "negatives": 0, "colourDrop": 0, "patchJitter": 0, "patchGrey": 0, "cutMix": 0, "whiteningSize": 24,
            "dropout": 0, "edgeDropout": 0,
        ]
    }

    /// These draw something for each sample whatever their settings, as those do that hide patches; their losses of given features
    /// are tested.
    private static let random = ["pirl", "amdim", "vae", "bigbigan"]

    private static let names = MethodRegistry.standard.entries.map(\.card).filter { !random.contains($0.name) && !$0.needsPatches }
        .map(\.name)

    private func make(_ name: String) throws -> (any SelfSupervisedMethod, Batch) {
        let entry = try MethodRegistry.standard.entry(named: name)
        func still<Settings: MethodSettings>(_ settings: Settings) throws -> any MethodSettings {
            var values = Self.still
            // Without batch statistics of few samples in a whitening of as many dimensions.
            if name == "w_mse" { values["outputWidth"] = 3 }
            return try with(settings, values)
        }
        let settings = try still(tinySettings(of: entry))
        Runtime.seed(41)
        let method = try entry.make(settings, tinyContext())
        let outputs = try entry.views(settings, imageSize: 16).outputs
        var batch = noise(0, 24)
        for output in outputs {
            if output.imageSize != nil {
                batch.views.append((Tensor.rand([24, 3, output.shape[0], output.shape[1]]) * 256).to(.uint8))
            } else {
                batch.targets[output.name] = noise(output, 24)
            }
        }
        return (method, batch)
    }

    private func taken(_ batch: Batch, _ rows: Tensor) -> Batch {
        Batch(
            views: batch.views.map { $0.rows(rows) }, targets: batch.targets.mapValues { $0.rows(rows) },
            indices: batch.indices.rows(rows), labels: batch.labels.rows(rows))
    }

    /// The same generator for each; the state of batch normalisation does not enter the loss of a batch.
    private func value(_ method: any SelfSupervisedMethod, _ batch: Batch) -> Double {
        Runtime.seed(43)
        return method.loss(batch, firstStep).total.item
    }

    @Test(arguments: names) func orderDoesNotMatter(_ name: String) throws {
        let (method, batch) = try make(name)
        let order = Tensor.randomPermutation(24)
        let (whole, other) = (value(method, batch), value(method, taken(batch, order)))
        #expect((whole - other).magnitude <= 2e-4 * max(1, whole.magnitude), "\(whole) and \(other)")
        // One view in another order is another batch; but before the first epoch is prepared, DeepCluster v2 has one target for all.
        guard type(of: method).card.hasPositivePairs, batch.views.count > 1, name != "deepcluster_v2" else { return }
        var torn = batch
        torn.views[0] = torn.views[0].rows(order)
        #expect((value(method, torn) - whole).magnitude > 1e-6, "one view permuted alone")
    }

    @Test func orderDoesNotMatterToGivenFeatures() {
        Runtime.seed(42)
        let (a, b) = (Tensor.randn([24, 8], .float64), Tensor.randn([24, 8], .float64))
        let order = Tensor.randomPermutation(24)
        let negatives = Tensor.randn([30, 8], .float64).normalized()
        func pirl(_ a: Tensor, _ b: Tensor) -> Tensor { PIRL.nce(a.normalized(), b.normalized(), negatives: negatives, temperature: 0.3) }
        expectClose(pirl(a.rows(order), b.rows(order)), pirl(a, b), .float64)
        let places = Tensor.randn([24, 5, 8], .float64)
        func amdim(_ a: Tensor, _ places: Tensor) -> Tensor { AMDIM.contrast(AMDIM.scores(a, places), limit: 20) }
        expectClose(amdim(a.rows(order), places.rows(order)), amdim(a, places), .float64)
    }

    /// MSN's and iBOT's masks are drawn by place in the batch; what they compute of given outputs knows no order. A half of a batch has
    /// other balanced targets and another mean, but masked patches, and MSN's targets that are not balanced, have nothing to do with it.
    @Test func maskedMethodsOfGivenOutputs() {
        Runtime.seed(44)
        let order = Tensor.randomPermutation(24)
        let (anchor, goal, prototypes) = (
            Tensor.randn([24, 8], .float64), Tensor.randn([24, 8], .float64), Tensor.randn([6, 8], .float64)
        )
        func msn(_ rows: Tensor, _ iterations: Int) -> [Double] {
            let parts = MSN.assignment(
                [anchor.rows(rows)], goal.rows(rows), prototypes, temperature: 0.3, sharpening: 0.5, sinkhornIterations: iterations)
            return [parts.crossEntropy.item, parts.meanEntropy.item]
        }
        let all = Tensor.arange(24)
        let halves = [Tensor.arange(12), Tensor.arange(12) + Tensor(scalar: 12)]
        for iterations in [0, 3] {
            let (whole, permuted) = (msn(all, iterations), msn(order, iterations))
            let parts = halves.map { msn($0, iterations) }
            for part in 0..<2 {
                #expect((whole[part] - permuted[part]).magnitude < 1e-12)
                let isMean = ((parts[0][part] + parts[1][part]) / 2 - whole[part]).magnitude < 1e-12
                #expect(isMean == (part == 0 && iterations == 0), "part \(part), \(iterations) iterations")
            }
        }

        let (student, teacher, centre) = (
            Tensor.randn([24, 9, 6], .float64), Tensor.randn([24, 9, 6], .float64), Tensor.randn([6], .float64)
        )
        let mask = Tensor.rand([24, 9], .float64).greater(0.5)
        func ibot(_ rows: Tensor) -> Double {
            let hidden = IBOT.Hidden(mask.rows(rows), on: .cpu)
            return IBOT.maskedPatches(
                hidden.rows(of: student.rows(rows)), hidden.rows(of: teacher.rows(rows)), hidden.weights, centre: centre,
                studentTemperature: 0.3, teacherTemperature: 0.2
            ).item
        }
        #expect((ibot(order) - ibot(all)).magnitude < 1e-12)
        #expect(((ibot(halves[0]) + ibot(halves[1])) / 2 - ibot(all)).magnitude < 1e-12)
    }

    /// Where samples know nothing of each other (in evaluation mode, without batch statistics), the loss of a batch is the mean of its
    /// halves'; where they are each other's negatives, or share a covariance or an assignment, it is not.
    /// OBoW is neither: its scale of distances follows the batch a little.
    @Test(arguments: names.filter { $0 != "obow" }) func halvesMakeTheWhole(_ name: String) throws {
        let separable = [
            "moco", "ressl", "instance_discrimination", "cmc", "deepcluster", "deepcluster_v2", "local_aggregation", "byol", "simsiam",
            "dino", "bownet", "rotnet", "supervised", "mean_teacher", "relative_patch", "jigsaw",
            "jigsaw_plus_plus", "damaged_jigsaw", "colorization", "split_brain", "autoencoder", "context_encoder", "exemplar",
            "s4l", "pseudo_label", "entropy_minimization", "frame_order", "playback_rate", "temporal_transformation",
            "motion_estimation", "object_consistency",
        ]
        let (method, batch) = try make(name)
        method.eval()
        let half = Tensor.arange(12)
        let parts = [half, half + Tensor(scalar: 12)].map { value(method, taken(batch, $0)) }
        let (mean, whole) = ((parts[0] + parts[1]) / 2, value(method, batch))
        let isClose = (mean - whole).magnitude <= 4e-6 * max(1, whole.magnitude)
        #expect(isClose == separable.contains(name), "\(parts) and \(whole)")
    }
}
