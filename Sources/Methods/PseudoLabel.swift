public import Torch
public import Views

/// Pseudo-label (Lee 2013, ICML workshop): what the network says of an image without a label is taken for its label.
///
///     L = CE(f(x), y) over the labelled + α(t) · CE(f(x′), argmax f(x′)) over the others of a batch      (eq. 15)
///     α(t) = 0 until T₁, then rising in a line to α at T₂                                                 (eq. 16)
///
/// T₁ and T₂ are shares of the run here; the paper's are 100 and 600 updates of all weights.
public final class PseudoLabel: Module, LearningFromFewLabels {
    public struct Settings: MethodSettings {
        /// α
        public var weight = 3.0
        /// T₁ and T₂.
        public var rampBegin = 0.1
        public var rampEnd = 0.6
        /// Of a batch: 32 of 288.
        public var labelledShare = 0.111

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.notNegative("weight", weight)
            for (name, value) in [("rampBegin", rampBegin), ("rampEnd", rampEnd), ("labelledShare", labelledShare)] {
                try SettingsCheck.fraction(name, value)
            }
            try SettingsCheck.positive("labelledShare", labelledShare)
            try SettingsCheck.require(
                rampBegin <= rampEnd, "method.rampBegin must not be above method.rampEnd, and \(rampBegin) is above \(rampEnd)")
        }
    }

    public static let card = MethodCard(
        name: "pseudo_label", title: "Pseudo-label", family: .supervised, paper: "Lee 2013",
        summary: "semi-supervised: cross-entropy on few labels, and on its own predictions for the other images", needsLabels: true,
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
        let time = Double(step.index) / Double(max(step.total, 1))
        return [
            "cross_entropy": Supervised.crossEntropy(logits, batch.labels, labelSmoothing: 0),
            "pseudo_label": Self.loss(logits, batch.labels)
                * (settings.weight * Self.ramp(time, from: settings.rampBegin, to: settings.rampEnd)),
        ]
    }

    /// The mean cross-entropy of the rows without a label with their own largest entry.
    static func loss(_ logits: Tensor, _ labels: Tensor) -> Tensor {
        let own = logits.detached().argmax(1).filled(-1, where: labels.atLeast(0))
        return Supervised.crossEntropy(logits, own, labelSmoothing: 0)
    }

    /// 0 until `begin`, 1 from `end` on.
    static func ramp(_ time: Double, from begin: Double, to end: Double) -> Double {
        time < begin ? 0 : time >= end ? 1 : (time - begin) / (end - begin)
    }
}
