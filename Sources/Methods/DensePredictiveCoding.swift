public import Backbones
public import Torch
public import Views

/// Dense predictive coding (Han et al. 2019, arXiv:1909.04656).
///
///     z_t = f(x_t),   c_t = g(z_1, …, z_t)                     maps of frames; g a convolutional GRU
///     ẑ_{t+1} = φ(c_t),   c_{t+1} = g(c_t, ẑ_{t+1}), …         further steps from what was predicted
///     L = −mean of log( exp(ẑ_{i,k}ᵀ z_{i,k}) / Σ_{j,m} exp(ẑ_{i,k}ᵀ z_{j,m}) )     (eq. 5)
///
/// over clips, predicted steps i and places k; the negatives are all other places, steps and clips of the batch, of which those of the
/// same place at other times are the hard ones. Deviations: f sees one frame, where the paper's blocks are of five frames and
/// three-dimensional; z are the backbone's last maps, behind their ReLU, which the paper's targets are not.
public final class DensePredictiveCoding: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        /// Of a clip, the predicted ones among them.
        public var frames = 8
        /// Of those the last ones, which are predicted.
        public var predicted = 3
        /// Frames from one to the next.
        public var stride = 3

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.require((2...64).contains(frames), "method.frames must be 2 to 64, not \(frames)")
            try SettingsCheck.require(
                predicted >= 1 && predicted < frames,
                "method.predicted must be at least 1 and below method.frames (\(frames)), not \(predicted)")
            try SettingsCheck.positive("stride", stride)
        }
    }

    public static let card = MethodCard(
        name: "dense_predictive_coding", title: "Dense predictive coding", family: .contrastive, paper: "Han et al. 2019, arXiv:1909.04656",
        summary: "predicts the maps of a clip's next frames, and finds them among all places and times", hasPositivePairs: false,
        needsClips: true)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try clips(settings, .clip(ImageSize(imageSize)))
    }

    public static func completing(_ views: ViewRecipe, _ settings: Settings) throws -> any ViewMaker { try clips(settings, views.views[0]) }

    private static func clips(_ settings: Settings, _ view: View) throws -> ClipViews {
        try ClipViews(ClipWindow(frames: settings.frames, stride: settings.stride), view)
    }

    public let encoder: Encoder
    /// g
    let memory: ConvolutionalGRU
    /// φ
    let predictor: Sequential
    private let settings: Settings

    public init(_ settings: Settings, _ context: MethodContext) throws {
        encoder = try context.makeEncoder()
        let width = try encoder.lastMapShape().channels
        memory = ConvolutionalGRU(width)
        predictor = Sequential([Conv2d(width, width, kernel: 1), Activation.relu, Conv2d(width, width, kernel: 1)])
        self.settings = settings
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let z = encoder.lastMaps(.concatenated(batch.views)).chunks(settings.frames)
        let predictions = predict(Array(z.dropLast(settings.predicted)))
        let scores = Self.scores(predictions, Array(z.suffix(settings.predicted)))
        let own = Tensor.arange(scores.size(0), on: scores.device)
        let losses: Losses = ["nce": scores.crossEntropy(own)]
        return losses.measuring("nce_accuracy", scores.argmax(1).equal(own).to(.float32).mean())
    }

    /// - Parameter seen: maps of the frames that are known, [n, c, h, w] each.
    /// - Returns: of those that come.
    func predict(_ seen: [Tensor]) -> [Tensor] {
        var c = seen[0].zerosLike()
        for z in seen { c = memory(z, c) }
        var predictions: [Tensor] = []
        for step in 0..<settings.predicted {
            if step > 0 { c = memory(predictions[step - 1], c) }
            predictions.append(predictor(c))
        }
        return predictions
    }

    /// Every prediction with every map's place: [m, m], rows ẑ, columns z, both in the order step, clip, row, column.
    /// - Parameters: [n, c, h, w] of each step.
    static func scores(_ predictions: [Tensor], _ maps: [Tensor]) -> Tensor {
        func rows(_ maps: [Tensor]) -> Tensor {
            Tensor.stacked(maps).permuted(0, 1, 3, 4, 2).reshaped(-1, maps[0].size(1)).precise
        }
        return rows(predictions).matmul(rows(maps).t)
    }
}

/// A gated recurrent unit on maps (Ballas et al. 2016, arXiv:1511.06432), with kernels of 1 × 1 as dense predictive coding has it:
///
///     u = σ(W_u [x, h]),   r = σ(W_r [x, h]),   h̃ = tanh(W [x, r ⊙ h]),   h ← (1 − u) ⊙ h + u ⊙ h̃
final class ConvolutionalGRU: Module {
    let update: Conv2d
    let reset: Conv2d
    let candidate: Conv2d

    init(_ width: Int) {
        update = Conv2d(2 * width, width, kernel: 1)
        reset = Conv2d(2 * width, width, kernel: 1)
        candidate = Conv2d(2 * width, width, kernel: 1)
    }

    /// x and h: [n, width, rows, columns], to the new h.
    func callAsFunction(_ x: Tensor, _ h: Tensor) -> Tensor {
        let both = Tensor.concatenated([x, h], dimension: 1)
        let (u, r) = (update(both).sigmoid(), reset(both).sigmoid())
        let new = candidate(.concatenated([x, r * h], dimension: 1)).tanh()
        return (1 - u) * h + u * new
    }
}
