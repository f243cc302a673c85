public import Backbones
internal import Files
public import Methods
public import Torch
public import Views

/// Everything that decides a run: one whole file, nothing implied. Two runs of equal recipes on equal data, device and
/// number of threads are equal.
public struct Recipe: Sendable, Equatable {
    /// Where the values come from, and how far they are the paper's.
    public var provenance = ""
    public var method: MethodChoice
    public var backbone = BackboneSettings()
    public var data = DataSettings()
    /// Replaces the method's own views.
    public var views: ViewRecipe?
    public var training = TrainingSettings()
    public var monitoring = MonitoringSettings()

    public init(method: MethodChoice) { self.method = method }

    public static func == (a: Recipe, b: Recipe) -> Bool {
        a.provenance == b.provenance && a.method == b.method && a.backbone == b.backbone && a.data == b.data && a.views == b.views
            && a.training == b.training && a.monitoring == b.monitoring
    }
}

/// A method and its hyper-parameters.
public struct MethodChoice: Sendable, Equatable {
    public var name: String
    public var settings: any MethodSettings

    public init(name: String, settings: any MethodSettings) {
        self.name = name
        self.settings = settings
    }

    public init(_ entry: MethodEntry) { self.init(name: entry.card.name, settings: entry.settings.init()) }

    public static func == (a: MethodChoice, b: MethodChoice) -> Bool {
        func equal<Settings: MethodSettings>(_ left: Settings) -> Bool { (b.settings as? Settings) == left }
        return a.name == b.name && equal(a.settings)
    }
}

public struct DataSettings: Codable, Sendable, Equatable {
    /// The folder, list or packed set; given on the command line, kept in the run's recipe.
    public var path: String?
    /// The side of the main views in pixels.
    public var imageSize = 224
    /// A random subset of this many images.
    public var limit: Int?
    /// Which one.
    public var limitSeed = 0
    /// For methods that need labels: the others of each class are taken without theirs. Which ones, `limitSeed` says.
    public var labelledShare: Double?
    /// A larger share of unreadable images ends the run.
    public var unreadableShare = 0.1
    /// Decoded images are kept in memory up to this much.
    public var cacheMegabytes = 512
    /// What the encoder subtracts and divides by.
    public var input = InputTransform.imagenet
}

public struct TrainingSettings: Codable, Sendable, Equatable {
    public enum RateScaling: String, Codable, Sendable, CaseIterable {
        /// As it stands.
        case none
        /// × batch / 256 (Goyal et al. 2017).
        case linear
        /// × √batch, SimCLR's alternative for small batches (appendix B.1).
        case squareRoot
    }

    public enum RateSchedule: String, Codable, Sendable, CaseIterable {
        case constant, cosine, steps
    }

    public enum Precision: String, Codable, Sendable, CaseIterable {
        case float32, bfloat16, float16
    }

    public var epochs = 100
    public var batchSize = 256
    public var seed: UInt64 = 0
    public var optimizer = OptimizerSettings()
    public var learningRate = 0.06
    public var learningRateScaling = RateScaling.none
    public var schedule = RateSchedule.cosine
    /// Linear, from `warmUpFrom`.
    public var warmUpEpochs = 0.0
    public var warmUpFrom = 0.0
    /// Where the cosine ends.
    public var finalLearningRate = 0.0
    /// Of the `steps` schedule: epochs at which the rate is multiplied by `stepFactor`.
    public var stepEpochs: [Double] = []
    public var stepFactor = 0.1
    public var weightDecay = 5e-4
    /// Where a cosine takes the weight decay by the end of the run (DINO); it stays when nil.
    public var finalWeightDecay: Double?
    /// Whether biases and norms decay too, as `torch.optim` has it by default; the large-batch recipes spare them.
    public var decaysVectors = false
    public var clipGradientNorm: Double?
    public var precision = Precision.float32
    /// Which convolutions' results are computed a second time for the gradient instead of being kept, `large` when nil: the same
    /// numbers in less memory or less time.
    public var recompute: Recomputation?

    /// The peak learning rate.
    public var scaledLearningRate: Double {
        switch learningRateScaling {
        case .none: learningRate
        case .linear: learningRate * Double(batchSize) / 256
        case .squareRoot: learningRate * Double(batchSize).squareRoot()
        }
    }

    /// The weight decay over the run; nil when it stays.
    public var weightDecaySchedule: Schedule? { finalWeightDecay.map { .cosine(from: weightDecay, to: $0) } }

    /// The learning rate over the run.
    public var rateSchedule: Schedule {
        let peak = scaledLearningRate
        let warm = epochs > 0 ? min(warmUpEpochs / Double(epochs), 1) : 0
        let main: Schedule =
            switch schedule {
            case .constant: .constant(peak)
            case .cosine: .cosine(from: peak, to: finalLearningRate)
            case .steps:
                .steps(
                    peak, factor: stepFactor,
                    milestones: stepEpochs.map { ($0 - warmUpEpochs) / max(Double(epochs) - warmUpEpochs, 1e-9) })
            }
        return warm > 0 ? .warmUp(fraction: warm, from: warmUpFrom, then: main) : main
    }
}

public struct OptimizerSettings: Codable, Sendable, Equatable {
    public enum Kind: String, Codable, Sendable, CaseIterable {
        case sgd, adam, adamw, lars, lamb
    }

    public var name = Kind.sgd
    /// Of SGD and LARS.
    public var momentum = 0.9
    public var nesterov = false
    /// Of Adam, AdamW and LAMB.
    public var beta1 = 0.9
    public var beta2 = 0.999
    public var epsilon = 1e-8
    /// η of LARS.
    public var trustCoefficient = 0.001
    /// Of LARS: never faster than the learning rate itself.
    public var clipsLearningRate = false

    func make(_ groups: [ParameterGroup]) -> any Optimizer {
        switch name {
        case .sgd: SGD(groups, momentum: momentum, nesterov: nesterov)
        case .adam: Adam(groups, betas: (beta1, beta2), epsilon: epsilon)
        case .adamw: Adam(groups, betas: (beta1, beta2), epsilon: epsilon, decouplesWeightDecay: true)
        case .lars: LARS(groups, momentum: momentum, trustCoefficient: trustCoefficient, clipsLearningRate: clipsLearningRate)
        case .lamb: LAMB(groups, betas: (beta1, beta2), epsilon: epsilon)
        }
    }
}

public struct MonitoringSettings: Codable, Sendable, Equatable {
    public enum Reaction: String, Codable, Sendable, CaseIterable {
        case ignore, warn, stop
    }

    /// Steps between measurements of loss and gradient norm, which wait for the device.
    public var logEverySteps = 10
    /// Epochs between kNN measurements, when there are labels; 0 for never.
    public var knnEveryEpochs = 0
    /// Images that health and kNN are read on.
    public var healthImages = 512
    public var knnImages = 2000
    public var onCollapse = Reaction.warn
    public var onNonFinite = Reaction.stop
    /// A checkpoint every so many epochs, and every so many minutes within one.
    public var checkpointEveryEpochs = 1
    public var checkpointEveryMinutes = 10.0
    /// Also keep `epoch-N` of every so many epochs; 0 for none.
    public var keepEveryEpochs = 0
}

extension Recipe {
    /// Refuses values that make no sense, by the name that they have in the file.
    public func validate(_ entry: MethodEntry) throws(SettingsError) {
        func require(_ condition: Bool, _ message: String) throws(SettingsError) {
            if !condition { throw SettingsError(message) }
        }
        try method.settings.validate()
        try require(data.imageSize >= 8 && data.imageSize <= 4096, "data.imageSize must be 8 to 4096 pixels, not \(data.imageSize)")
        try require((data.limit ?? 1) >= 1, "data.limit must be at least 1")
        try require((data.labelledShare ?? 1) > 0 && (data.labelledShare ?? 1) <= 1, "data.labelledShare must be above 0 and at most 1")
        try require((0...1).contains(data.unreadableShare), "data.unreadableShare must lie between 0 and 1, not \(data.unreadableShare)")
        try require(data.cacheMegabytes >= 0, "data.cacheMegabytes must not be negative")
        try require(
            data.input.mean.count == 3 && data.input.deviation.count == 3 && data.input.deviation.allSatisfy { $0 > 0 },
            "data.input needs three means and three deviations above 0")
        if let views {
            let sides = views.views.map(\.size)
            try require(
                sides.contains(ImageSize(data.imageSize)),
                "data.imageSize is \(data.imageSize), but `views:` has only \(sides.map(\.description).joined(separator: ", ")): change both"
            )
        }
        let t = training
        try require(t.epochs >= 1, "training.epochs must be at least 1, not \(t.epochs)")
        try require(
            t.batchSize >= entry.card.leastBatch,
            "training.batchSize must be at least \(entry.card.leastBatch) for \(entry.card.title), not \(t.batchSize)")
        try require(t.learningRate > 0 && t.learningRate.isFinite, "training.learningRate must be above 0, not \(t.learningRate)")
        try require(t.weightDecay >= 0 && (t.finalWeightDecay ?? 0) >= 0, "training.weightDecay and finalWeightDecay must not be negative")
        try require(
            t.warmUpEpochs >= 0 && t.warmUpEpochs <= Double(t.epochs),
            "training.warmUpEpochs must lie between 0 and training.epochs (\(t.epochs)), not \(t.warmUpEpochs): shorten it too, such as by "
                + "--set training.warmUpEpochs=0")
        try require((t.clipGradientNorm ?? 1) > 0, "training.clipGradientNorm must be above 0")
        let o = t.optimizer
        try require((0..<1).contains(o.momentum), "training.optimizer.momentum must be at least 0 and below 1, not \(o.momentum)")
        try require(
            (0..<1).contains(o.beta1) && (0..<1).contains(o.beta2), "training.optimizer.beta1 and beta2 must be at least 0 and below 1")
        try require(o.epsilon > 0, "training.optimizer.epsilon must be above 0")
        let m = monitoring
        try require(m.logEverySteps >= 1, "monitoring.logEverySteps must be at least 1")
        try require(m.knnEveryEpochs >= 0 && m.keepEveryEpochs >= 0, "monitoring: numbers of epochs must not be negative")
        try require(m.checkpointEveryEpochs >= 1, "monitoring.checkpointEveryEpochs must be at least 1")
        try require(m.checkpointEveryMinutes > 0, "monitoring.checkpointEveryMinutes must be above 0")
        try require(m.healthImages >= 0 && m.knnImages >= 0, "monitoring: numbers of images must not be negative")
    }
}
