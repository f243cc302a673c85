public import Backbones
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
public final class MeanTeacher: Module, SelfSupervisedMethod {
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
        guard context.classCount >= 2 else {
            throw SettingsError("mean teacher needs at least 2 classes, and the data have \(context.classCount)")
        }
        func network() throws -> ClassifierNetwork { ClassifierNetwork(try context.makeEncoder(), classes: context.classCount) }
        student = try network()
        teacher = try network()
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

    /// Batches of labelled and unlabelled samples; what there are fewer of comes round again.
    public func prepareEpoch(_ epoch: Int, _ services: any RunServices) throws {
        let labels = services.labels
        let (known, unknown) = (labels.indices.filter { labels[$0] >= 0 }, labels.indices.filter { labels[$0] < 0 })
        guard !known.isEmpty else { throw SettingsError("mean teacher needs some images with labels, and none of these has one") }
        guard !unknown.isEmpty else { return }
        services.setOrder(
            Self.order(
                known, unknown, batch: services.batchSize, batches: labels.count / services.batchSize, share: settings.labelledShare,
                permutation: { Tensor.randomPermutation($0).ints }))
    }

    static func order(
        _ known: [Int], _ unknown: [Int], batch: Int, batches: Int, share: Double, permutation: (Int) -> [Int]
    ) -> [Int] {
        let labelled = min(batch, max(1, Int((share * Double(batch)).rounded())))
        func stream(_ indices: [Int], _ count: Int) -> [Int] {
            var drawn: [Int] = []
            while drawn.count < count { drawn += permutation(indices.count).map { indices[$0] } }
            return drawn
        }
        let (first, second) = (stream(known, labelled * batches), stream(unknown, (batch - labelled) * batches))
        var order: [Int] = []
        for number in 0..<batches {
            order += first[number * labelled..<(number + 1) * labelled]
            order += second[number * (batch - labelled)..<(number + 1) * (batch - labelled)]
        }
        return order
    }

    /// The teacher's.
    public var encoder: Encoder { teacher.encoder }
    public func logits(_ pixels: Tensor) -> Tensor { teacher(pixels) }
    public var classifierState: StateDict? { teacher.classifierState }
    public var phases: [Phase] { [Phase("main", [Phase.Part(student)])] }
    public var movingAverages: [MovingAverage] {
        let decay = Schedule.steps(
            settings.earlyTeacherDecay, factor: settings.teacherDecay / settings.earlyTeacherDecay, milestones: [settings.rampUp])
        return [MovingAverage(of: student, into: teacher, decay: decay)]
    }
}

extension MeanTeacher: Classifying {}
