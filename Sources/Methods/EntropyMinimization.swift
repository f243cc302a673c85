public import Torch
public import Views

/// Entropy minimisation (Grandvalet and Bengio 2005, NIPS 17): predictions for images without a label are made certain.
///
///     L = CE(f(x), y) over the labelled − λ · mean of Σ_k p_k(x′) log p_k(x′) over the others of a batch      (eq. 6)
public final class EntropyMinimization: Module, LearningFromFewLabels {
    public struct Settings: MethodSettings {
        /// λ
        public var weight = 1.0
        /// Of a batch.
        public var labelledShare = 0.5

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.notNegative("weight", weight)
            try SettingsCheck.fraction("labelledShare", labelledShare)
            try SettingsCheck.positive("labelledShare", labelledShare)
        }
    }

    public static let card = MethodCard(
        name: "entropy_minimization", title: "Entropy minimisation", family: .supervised, paper: "Grandvalet and Bengio 2005",
        summary: "semi-supervised: cross-entropy on few labels, and certain predictions for the other images", needsLabels: true,
        hasPositivePairs: false)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.supervised(size: ImageSize(imageSize))
    }

    public let network: ClassifierNetwork
    private let settings: Settings
    public var labelledShare: Double { settings.labelledShare }

    public init(_ settings: Settings, _ context: MethodContext) throws {
        network = try FewLabels.network(Self.card.title, context)
        self.settings = settings
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let logits = logits(batch.views[0])
        return [
            "cross_entropy": Supervised.crossEntropy(logits, batch.labels, labelSmoothing: 0),
            "entropy": Self.entropy(logits, batch.labels) * settings.weight,
        ]
    }

    /// The mean entropy of the rows without a label.
    static func entropy(_ logits: Tensor, _ labels: Tensor) -> Tensor {
        let logs = logits.logSoftmax(1)
        return FewLabels.unlabelledMean(-(logs.exp() * logs).sum(1), labels)
    }
}
