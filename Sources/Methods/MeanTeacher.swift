internal import Foundation
public import Torch
public import Views

/// Mean teacher (Tarvainen and Valpola 2017, arXiv:1703.01780): learning from few labelled images and many without a label.
///
///     L = CE(f(x; θ), y)                                   over the labelled samples of a batch
///       + w(t) · ‖softmax f(x; θ) − softmax f(x′; θ′)‖²      mean over all samples and classes (section 2, J)
///     w(t) = w · exp(−5 (1 − t/T)²) until T, then w          (section 3.1)
///     θ′ ← αθ′ + (1 − α)θ                                    α of 0.99 until T, then 0.999
///
/// Every batch has labelled and unlabelled samples in a fixed proportion. The teacher is what is kept. Deviation: the paper also
/// lowers Adam's second moment decay while w rises.
public final class MeanTeacher: Module, LearningFromFewLabels {
    public struct Settings: MethodSettings {
        /// w; the paper's for CIFAR-10.
        public var consistencyWeight = 100.0
        /// T, as a share of the run: 40,000 of 150,000 steps.
        public var rampUp = 0.267
        /// α until T, and after.
        public var earlyTeacherDecay = 0.99
        public var teacherDecay = 0.999
        /// Of a batch: 31 of 256 on CIFAR-10 (appendix B.3).
        public var labelledShare = 0.125

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.notNegative("consistencyWeight", consistencyWeight)
            for (name, value) in [
                ("rampUp", rampUp), ("earlyTeacherDecay", earlyTeacherDecay), ("teacherDecay", teacherDecay),
                ("labelledShare", labelledShare),
            ] { try SettingsCheck.fraction(name, value) }
            try SettingsCheck.positive("earlyTeacherDecay", earlyTeacherDecay)
            try SettingsCheck.positive("labelledShare", labelledShare)
        }
    }

    public static let card = MethodCard(
        name: "mean_teacher", title: "Mean teacher", family: .supervised, paper: "Tarvainen and Valpola 2017, arXiv:1703.01780",
        summary: "semi-supervised: cross-entropy on few labels, and agreement with its own moving average on all images",
        needsLabels: true, needs: "a second network")

    /// Two crops with flips, as CIFAR-10's translations, or the paper's for ImageNet, with colours.
    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.meanTeacher(size: ImageSize(imageSize))
    }

    let student: ClassifierNetwork
    let teacher: ClassifierNetwork
    private let settings: Settings

    public init(_ settings: Settings, _ context: MethodContext) throws {
        student = try FewLabels.network(Self.card.title, context)
        teacher = try FewLabels.network(Self.card.title, context)
        self.settings = settings
        super.init()
        movingAverages.forEach { $0.begin() }
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let logits = student(batch.views[0])
        let target = withoutGradients { teacher(batch.views[1]) }
        let weight = settings.consistencyWeight * Self.rampUp(Double(step.index), over: settings.rampUp * Double(step.total))
        return [
            "cross_entropy": Supervised.crossEntropy(logits, batch.labels, labelSmoothing: 0),
            "consistency": Self.consistency(logits, target) * weight,
        ]
    }

    /// The mean squared difference of two distributions' entries, the second without gradient.
    static func consistency(_ student: Tensor, _ teacher: Tensor) -> Tensor {
        (student.softmax(1) - teacher.detached().softmax(1)).squared().mean()
    }

    /// exp(−5 (1 − t/T)²), 1 from T on.
    static func rampUp(_ step: Double, over length: Double) -> Double {
        guard length > 0 else { return 1 }
        let left = 1 - min(max(step / length, 0), 1)
        return exp(-5 * left * left)
    }

    /// The teacher.
    public var network: ClassifierNetwork { teacher }
    public var labelledShare: Double { settings.labelledShare }
    public var phases: [Phase] { [Phase("main", [Phase.Part(student)])] }
    public var movingAverages: [MovingAverage] {
        let decay = Schedule.steps(
            settings.earlyTeacherDecay, factor: settings.teacherDecay / settings.earlyTeacherDecay, milestones: [settings.rampUp])
        return [MovingAverage(of: student, into: teacher, decay: decay)]
    }
}
