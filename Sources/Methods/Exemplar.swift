public import Backbones
public import Torch
public import Views

/// Exemplar (Dosovitskiy et al. 2014, arXiv:1406.6909): every image is a class of its own, whose members are its transformations.
///
///     L = mean of −log softmax( W f(T x_i) )_i                                                              (eq. 1–2)
///
/// With tens of thousands of images the classes become too many; then, as Kolesnikov et al. 2019 (arXiv:1901.09005, section 3.1), the
/// triplet loss between `copies` views of each image, with semi-hard negatives, at length 1:
///
///     L = mean of max(0, ‖z_ij − z_ik‖² − ‖z_ij − z_l‖² + 0.5)
///
/// Deviation: whole images take the place of patches of 32 pixels that were chosen by their gradients; views are crops, flips, turns
/// of the hue and changes of brightness, contrast and saturation, without turns by any angle.
public final class Exemplar: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        public enum Form: String, Codable, Sendable, CaseIterable { case classes, triplet }

        public var form = Form.classes
        /// Views of an image in a batch.
        public var copies = 2
        /// Of the triplet form: z's width.
        public var outputWidth = 1000
        public var margin = 0.5
        public var jitterStrength = 1.0

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.within("copies", copies, 1...256)
            try SettingsCheck.require(
                form == .classes || copies > 1, "method.copies must be at least 2 for triplets, which need a positive, not \(copies)")
            try SettingsCheck.positive("outputWidth", outputWidth)
            try SettingsCheck.positive("margin", margin)
            try SettingsCheck.jitterStrength(jitterStrength)
        }
    }

    public static let card = MethodCard(
        name: "exemplar", title: "Exemplar", family: .pretext, paper: "Dosovitskiy et al. 2014, arXiv:1406.6909",
        summary: "tells which image a changed view is of, among all or by triplets", needs: "an output for every image, without triplets",
        remedy: "lower the learning rate, or take more images per batch, among which the nearest negatives are sought")

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.exemplar(size: ImageSize(imageSize), copies: settings.copies, strength: settings.jitterStrength)
    }

    public let encoder: Encoder
    /// To a score for every image, or to z.
    let head: Linear
    private let settings: Settings

    public init(_ settings: Settings, _ context: MethodContext) throws {
        encoder = try context.makeEncoder()
        head = Linear(encoder.outputWidth, settings.form == .classes ? context.sampleCount : settings.outputWidth)
        self.settings = settings
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let views = batch.views.count
        let outputs = head(encoder(.concatenated(batch.views))).precise
        switch settings.form {
        case .triplet:
            return ["triplet": Triplet.triplet(outputs, views: views, margin: settings.margin, mining: .semiHard)]
        case .classes:
            let classes = Tensor.concatenated(Array(repeating: batch.indices, count: views))
            let losses: Losses = ["exemplar": outputs.crossEntropy(classes)]
            return losses.measuring("exemplar_accuracy", outputs.argmax(1).equal(classes).to(.float32).mean())
        }
    }

    public func embedding(_ representation: Tensor) -> Tensor? { settings.form == .triplet ? head(representation) : nil }
}
