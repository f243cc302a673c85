import Fovea

/// A method of one's own, in one file: a triplet loss on cosine similarities (after Schroff et al. 2015, FaceNet).
///
///     L = mean over i of max(0, margin − cos(zᵢ, z′ᵢ) + max over j ≠ i of cos(zᵢ, z′ⱼ))
///
/// with z and z′ the two views: the positive is the other view, the negative the hardest of the batch.
final class TripletMethod: Module, SelfSupervisedMethod {
    struct Settings: MethodSettings {
        var margin = 0.3
        var outputWidth = 64

        func validate() throws(SettingsError) {
            guard margin > 0 else { throw SettingsError("method.margin must be above 0, not \(margin)") }
        }
    }

    static let card = MethodCard(
        name: "triplet-example", title: "Triplet (example)", family: .contrastive, paper: "after Schroff et al. 2015, arXiv:1503.03832",
        summary: "the other view must be nearer than the nearest other image, by a margin")

    static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.simCLR(size: ImageSize(imageSize), strength: 0.5)
    }

    let encoder: Encoder
    let head: MLP
    private let margin: Double

    init(_ settings: Settings, _ context: MethodContext) throws {
        encoder = try context.makeEncoder()
        head = MLP([encoder.outputWidth, encoder.outputWidth, settings.outputWidth])
        margin = settings.margin
    }

    func loss(_ batch: Batch, _ step: Step) -> Losses {
        let views = head(encoder(.concatenated(batch.views))).normalized().chunks(2)
        let similarity = views[0].matmul(views[1].t)
        let hardest = similarity.withDiagonal(-.infinity).max(1)
        return ["triplet": (hardest - similarity.diagonal + margin).relu().mean()]
    }

    func embedding(_ representation: Tensor) -> Tensor? { head(representation) }
}
