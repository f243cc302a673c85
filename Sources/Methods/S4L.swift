internal import Backbones
public import Torch
public import Views

/// S4L: Self-Supervised Semi-Supervised Learning (Zhai et al. 2019, arXiv:1905.03670).
///
///     L = L_l(D_l) + w · L_u(D_l ∪ D_u)                                        (eq. 1, section 3)
///     rotation:  L_u = −1/4 Σ_r log p(r | x rotated by r)                      (eq. 2)
///     exemplar:  L_u = mean of log(1 + exp( max_p ‖a − p‖ − min_n ‖a − n‖ ))   embeddings at length 1, p the other transformations
///                of a's image and n those of others (batch-hard triplets with a soft margin; Hermans et al. 2017, arXiv:1703.07737)
///
/// L_l is the cross-entropy on all four rotations, or all transformations, of the labelled images. As many labelled as unlabelled
/// images make a batch. Deviation: negatives come from the whole batch, where the authors keep the labelled half apart; colours are
/// jittered as SimCLR's are, where they add noise in HSV.
public final class S4L: Module, LearningFromFewLabels {
    public struct Settings: MethodSettings {
        public enum Task: String, Codable, Sendable, CaseIterable { case rotation, exemplar }

        public var task = Task.rotation
        /// w
        public var weight = 1.0
        /// Of a batch.
        public var labelledShare = 0.5
        /// Of the exemplar task: transformations of an image.
        public var copies = 8
        /// Of the exemplar task: dimensions in which distances are taken.
        public var outputWidth = 1000

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.notNegative("weight", weight)
            try SettingsCheck.fraction("labelledShare", labelledShare)
            try SettingsCheck.positive("labelledShare", labelledShare)
            try SettingsCheck.require((2...64).contains(copies), "method.copies must be 2 to 64, not \(copies)")
            try SettingsCheck.positive("outputWidth", outputWidth)
        }
    }

    public static let card = MethodCard(
        name: "s4l", title: "S4L", family: .supervised, paper: "Zhai et al. 2019, arXiv:1905.03670",
        summary: "semi-supervised: cross-entropy on few labels, and a pretext task (rotation or exemplar) on all images",
        needsLabels: true, hasPositivePairs: false)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        switch settings.task {
        case .rotation: try ViewRecipe.rotNet(size: ImageSize(imageSize))
        case .exemplar: try ViewRecipe.s4lExemplar(size: ImageSize(imageSize), copies: settings.copies)
        }
    }

    public let network: ClassifierNetwork
    /// Of rotations, or to where distances are taken.
    let pretext: Linear
    private let settings: Settings
    public var labelledShare: Double { settings.labelledShare }

    public init(_ settings: Settings, _ context: MethodContext) throws {
        network = try FewLabels.network(Self.card.title, context)
        pretext = Linear(network.encoder.outputWidth, settings.task == .rotation ? 4 : settings.outputWidth)
        self.settings = settings
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let h = encoder(.concatenated(batch.views))
        let labels = Tensor.concatenated(batch.views.map { _ in batch.labels })
        let supervised = Supervised.crossEntropy(network.classifier(h), labels, labelSmoothing: 0)
        let output = pretext(h)
        switch settings.task {
        case .rotation:
            let rotation = RotNet.losses(output)
            var losses: Losses = ["cross_entropy": supervised, "rotation": rotation.total * settings.weight]
            losses.measures = rotation.measures
            return losses
        case .exemplar:
            let triplets = Triplet.batchHard(output, images: batch.count)
            return ["cross_entropy": supervised, "exemplar": triplets * settings.weight]
        }
    }
}
