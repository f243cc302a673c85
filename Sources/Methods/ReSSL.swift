public import Backbones
public import Torch
public import Views

/// ReSSL: Relational Self-Supervised Learning (Zheng et al. 2021, arXiv:2107.09282).
///
///     L = cross-entropy( softmax(z_t·Qᵀ/τ_t), softmax(z_s·Qᵀ/τ_s) )       (eq. 3–5), Q a queue of the teacher's past z
///
/// The student sees a strong view, the teacher (a moving average) a weak one; what they share is how the image relates to
/// others, not that all others are negatives.
public final class ReSSL: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        public var hiddenWidth = 4096
        public var outputWidth = 512
        public var queueLength = 131072
        /// τ_s
        public var studentTemperature = 0.1
        /// τ_t
        public var teacherTemperature = 0.04
        public var teacherDecay = Schedule.constant(0.999)

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.positive("hiddenWidth", hiddenWidth)
            try SettingsCheck.positive("outputWidth", outputWidth)
            try SettingsCheck.several("queueLength", queueLength)
            try SettingsCheck.positive("studentTemperature", studentTemperature)
            try SettingsCheck.positive("teacherTemperature", teacherTemperature)
            try SettingsCheck.fraction("teacherDecay", teacherDecay)
        }

        public func suited(toImages count: Int, batchSize: Int) -> Settings {
            var copy = self
            copy.queueLength = FewImages.queue(queueLength, count)
            return copy
        }
    }

    public static let card = MethodCard(
        name: "ressl", title: "ReSSL", family: .contrastive, paper: "Zheng et al. 2021, arXiv:2107.09282",
        summary: "a strong view resembles past images as a weak view does to its moving average", needs: "a second network, a queue")

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.reSSL(size: ImageSize(imageSize))
    }

    let student: ProjectedEncoder
    let teacher: ProjectedEncoder
    let queue: Queue
    private let settings: Settings
    private var newest: Tensor?

    public init(_ settings: Settings, _ context: MethodContext) throws {
        func branch() throws -> ProjectedEncoder {
            let encoder = try context.makeEncoder()
            return ProjectedEncoder(encoder, MLP([encoder.outputWidth, settings.hiddenWidth, settings.outputWidth]))
        }
        student = try branch()
        teacher = try branch()
        queue = Queue(length: settings.queueLength, width: settings.outputWidth)
        self.settings = settings
        super.init()
        movingAverages.forEach { $0.begin() }
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let weak = withoutGradients { teacher(batch.views[1]).normalized() }
        newest = weak
        let loss = Self.relation(
            student(batch.views[0]), weak, queue.rows, temperatures: (settings.studentTemperature, settings.teacherTemperature))
        return ["relation": loss]
    }

    /// - Parameters:
    ///   - student, teacher: [n, d], unnormalised.
    ///   - queue: [K, d] unit vectors.
    static func relation(
        _ student: Tensor, _ teacher: Tensor, _ queue: Tensor, temperatures: (student: Double, teacher: Double)
    ) -> Tensor {
        let target = (teacher.detached().normalized().to(queue.dataType).matmul(queue.t) / temperatures.teacher).softmax(1)
        return (student.normalized().matmul(queue.t) / temperatures.student).crossEntropy(target)
    }

    public func afterStep(_ batch: Batch, _ step: Step) {
        if let newest { queue.add(newest) }
        newest = nil
    }

    public var encoder: Encoder { student.encoder }
    public var projector: Module? { student.projector }
    public func embedding(_ representation: Tensor) -> Tensor? { student.projector(representation) }
    public var movingAverages: [MovingAverage] { [MovingAverage(of: student, into: teacher, decay: settings.teacherDecay)] }
}
