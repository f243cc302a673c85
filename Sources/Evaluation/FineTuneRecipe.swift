internal import Embeddings
internal import Foundation
internal import Training
internal import Views

/// A published way to train a whole network on few labelled images, or one that fits a small machine.
///
/// Common to all: random resized crops and flips (but BiT), momentum 0.9, no weight decay. Batches are never larger than the
/// labelled images, and learning rates are scaled by what is used. The supervised baseline, from new weights, has more to choose
/// from: `FineTuneProtocol.Baseline`.
public enum FineTuneRecipe: String, Codable, Sendable, CaseIterable {
    /// SimCLR's in batches of 64 with at least `leastSteps` steps and a cosine; the learning rate chosen among two.
    case small
    /// SimCLR, appendix B.5: Nesterov, 0.05 × batch / 256 with batches of 4,096, 60 epochs of up to 1 % of the labels, 30 of more.
    /// The cosine is the published code's.
    case simclr
    /// SimCLR's transfer (appendix B.8 and Table 8): Nesterov, batches of 256, 20,000 steps, 7 learning rates and 8 weight decays, which
    /// are divided by the rate; from scratch 40,000 steps and another grid. The paper names no schedule; this one is a cosine.
    /// Batch-norm statistics keep PyTorch's momentum, where the paper has one by the number of steps.
    case simclrTransfer = "simclr-transfer"
    /// BYOL, appendix C: Nesterov, batches of 1,024, the learning rate of five and 30 or 50 epochs chosen on held-out images. The
    /// paper does not name a schedule; this one is a cosine.
    case byol
    /// SimCLRv2 (Chen et al. 2020, arXiv:2006.10029): LARS, 0.005 × √batch with batches of 1,024, epochs as SimCLR's; from the
    /// first layer of the projection head below all labels, from its input with all.
    case simclrv2
    /// BiT-HyperRule (Kolesnikov et al. 2020, arXiv:1912.11370, section 3.3, and the published code's warm-up, steps and
    /// classifier that begins at zero): SGD at 0.003 with batches of 512; resolution by the images' area; schedule and MixUp by
    /// the number of labelled images.
    case bit
    /// The same rule for a small machine: the encoder's own resolution with BiT's ratio of crop to image, batches of 64 at 0.03,
    /// and an eighth of the sizes at which tasks count as medium and large and of their steps.
    case bitScaled = "bit-scaled"

    /// What one training run does.
    struct Plan: Equatable {
        enum Length: Equatable {
            case epochs(Int)
            case steps(Int)

            /// Of either; a recipe counts in one of them.
            var count: Int {
                switch self {
                case .epochs(let count), .steps(let count): count
                }
            }
        }

        var length: Length
        /// Of epochs, steps and least steps alike.
        var lengthening = 1
        var batchSize: Int
        var learningRate: Double
        var scaling = TrainingSettings.RateScaling.linear
        var optimizer = OptimizerSettings.Kind.sgd
        var nesterov = true
        var weightDecay = 0.0
        /// Shares of the run: of a linear warm-up, and after which the rate falls to a tenth; without any, a cosine.
        var warmUp = 0.0
        var steps: [Double] = []
        var mixUp = 0.0
        var layerDecay = 1.0
        /// Images are resized to `resized` and cut to `crop`; nil for random resized crops at the encoder's size.
        var sides: Sides?
        var beginsInHead = false
        var zeroInitClassifier = false
        /// Repeats the images where there are fewer than a batch.
        var fillsBatches = false

        /// As the results' `setting` shows it.
        var summary: String {
            let rate = "lr=\(String(format: "%.4g", learningRate))"
            let decay = weightDecay > 0 ? ", weight decay \(String(format: "%.2g", weightDecay))" : ""
            return switch length {
            case .epochs(let epochs): "\(rate), \(epochs * lengthening) epochs\(decay)"
            case .steps(let steps): "\(rate), \(steps * lengthening) steps\(decay)"
            }
        }
    }

    /// A step of a search that begins at the best plan: the change is kept, and made again, as long as it does better.
    struct Refinement {
        var change: (Plan) -> Plan
        /// So often at most.
        var most: Int
    }

    /// How the supervised baseline goes on from the recipe's plans, which were made for weights that have learned: three times the
    /// rate, weight decay (ResNet's on CIFAR, He et al. 2016, is 0.0001; wide ResNets' 0.0005), and twice as long, as SimCLR's.
    static var refinementsFromScratch: [Refinement] {
        [
            Refinement(
                change: { plan in
                    var plan = plan
                    plan.learningRate *= 3
                    return plan
                }, most: 3),
            Refinement(
                change: { plan in
                    var plan = plan
                    plan.weightDecay = max(plan.weightDecay, 5e-4)
                    return plan
                }, most: 1),
            Refinement(
                change: { plan in
                    var plan = plan
                    plan.lengthening *= 2
                    return plan
                }, most: 2),
        ]
    }

    struct Sides: Equatable {
        var resized: Int
        var crop: Int
    }

    /// What is known of the labelled images.
    struct Task {
        var images: Int
        /// Of all labels that there are.
        var share: Double
        /// Pixels of a typical image.
        var area: Int
        /// The encoder's.
        var imageSize: Int
        /// From new weights: the supervised baseline.
        var isFromScratch = false
    }

    /// The plans to try on held-out images; of one, nothing is chosen.
    func plans(_ task: Task) -> [Plan] {
        let epochs = Plan.Length.epochs(task.share <= 0.011 ? 60 : 30)
        switch self {
        case .small: return [0.05, 0.4].map { Plan(length: .epochs(60), batchSize: 64, learningRate: $0) }
        case .simclr: return [Plan(length: epochs, batchSize: 4096, learningRate: 0.05)]
        case .simclrTransfer:
            let isLong = task.isFromScratch
            let rates = LinearProbe.logarithmic(from: isLong ? 0.001 : 0.0001, to: isLong ? 1 : 0.1, count: 7)
            // The last of those from scratch is 10^−1.5.
            let decays =
                isLong
                ? LinearProbe.logarithmic(from: 1e-5, to: 0.001.squareRoot(), count: 8)
                : LinearProbe.logarithmic(from: 1e-6, to: 1e-3, count: 7) + [0]
            return rates.flatMap { rate in
                decays.map { decay in
                    Plan(
                        length: .steps(isLong ? 40_000 : 20_000), batchSize: 256, learningRate: rate, scaling: .none,
                        weightDecay: decay / rate)
                }
            }
        case .byol:
            return [30, 50].flatMap { epochs in
                [0.005, 0.01, 0.02, 0.05, 0.1].map { Plan(length: .epochs(epochs), batchSize: 1024, learningRate: $0, scaling: .none) }
            }
        case .simclrv2:
            return [
                Plan(
                    length: epochs, batchSize: 1024, learningRate: 0.005, scaling: .squareRoot, optimizer: .lars, nesterov: false,
                    beginsInHead: task.share < 1)
            ]
        case .bit: return [Self.bitPlan(task, scale: 1, batchSize: 512, rate: 0.003, sides: Self.bitSides(area: task.area))]
        case .bitScaled:
            let sides = Sides(resized: task.imageSize * 160 / 128, crop: task.imageSize)
            return [Self.bitPlan(task, scale: 8, batchSize: 64, rate: 0.03, sides: sides)]
        }
    }

    /// Images smaller than 96 × 96 at 128 of 160 pixels, others at 384 of 448.
    static func bitSides(area: Int) -> Sides { area < 96 * 96 ? Sides(resized: 160, crop: 128) : Sides(resized: 448, crop: 384) }

    private static func bitPlan(_ task: Task, scale: Int, batchSize: Int, rate: Double, sides: Sides) -> Plan {
        let steps = task.images < 20_000 / scale ? 500 : task.images < 500_000 / scale ? 10_000 / scale : 20_000 / scale
        let isSmall = task.images < 20_000 / scale
        // As in the published code: of small tasks 100 steps of warm-up and falls at 200, 300 and 400, of others 500 and 30, 60, 90 %.
        return Plan(
            length: .steps(steps), batchSize: batchSize, learningRate: rate, scaling: .none, nesterov: false,
            warmUp: isSmall ? 0.2 : 500 / Double(scale) / Double(steps), steps: isSmall ? [0.4, 0.6, 0.8] : [0.3, 0.6, 0.9],
            mixUp: isSmall ? 0 : 0.1, sides: sides, zeroInitClassifier: true, fillsBatches: true)
    }
}

extension FineTuneRecipe.Sides {
    func trainingViews() throws -> ViewRecipe {
        try ViewRecipe(views: [View("view", size: ImageSize(crop), [Resize(size: ImageSize(resized)), RandomCrop(), HorizontalFlip()])])
    }

    /// BiT only resizes at test time.
    func testViews() throws -> ViewRecipe { try ViewRecipe(views: [View("view", size: ImageSize(crop), [Resize()])]) }
}
