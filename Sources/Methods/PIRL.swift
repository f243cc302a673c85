public import Backbones
public import Torch
public import Views

/// PIRL: Self-Supervised Learning of Pretext-Invariant Representations (Misra and van der Maaten 2019, arXiv:1912.01991).
///
///     h(a, b) = exp(cos(a, b)/τ) / ( exp(cos(a, b)/τ) + Σ_{j ∈ N} exp(cos(b, mⱼ)/τ) )                          (eq. 4)
///     ℓ(m, b) = −log h(m, b) − Σ_{j ∈ N} log(1 − h(mⱼ, b))                                                     (eq. 5)
///     L = λ·ℓ(mᵢ, g(vᵢᵗ)) + (1 − λ)·ℓ(mᵢ, f(vᵢ))                                                               (eq. 6)
///
/// m are the vectors of a memory bank, which follow f of the image as it is; g sees it transformed: cut into nine shuffled
/// patches, each with an encoding of its own, or turned by a random quarter.
///
/// Deviation: the bank begins with what the untrained network says of each image, and not with random vectors, which for a whole
/// epoch would be what an image has to resemble.
public final class PIRL: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        public enum Transform: String, Codable, Sendable, CaseIterable { case jigsaw, rotation }

        public var transform = Transform.jigsaw
        public var outputWidth = 128
        /// |N|
        public var negatives = 32000
        /// τ
        public var temperature = 0.07
        /// λ
        public var transformedWeight = 0.5
        /// Of the old vector when the bank is updated.
        public var bankMomentum = 0.5

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.positive("outputWidth", outputWidth)
            try SettingsCheck.positive("negatives", negatives)
            try SettingsCheck.positive("temperature", temperature)
            try SettingsCheck.fraction("transformedWeight", transformedWeight)
            try SettingsCheck.fraction("bankMomentum", bankMomentum)
        }

        public func suited(toImages count: Int, batchSize: Int) -> Settings {
            var copy = self
            copy.negatives = FewImages.queue(negatives, count)
            return copy
        }
    }

    public static let card = MethodCard(
        name: "pirl", title: "PIRL", family: .contrastive, paper: "Misra and van der Maaten 2019, arXiv:1912.01991",
        summary: "an image and its shuffled patches, or its rotation, resemble its past feature and no other image's",
        needs: "a vector for every image")

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.pirl(size: ImageSize(imageSize))
    }

    let online: ProjectedEncoder
    /// The first linear layer of g, of each patch; nil for rotations.
    let patchHead: Linear?
    /// The last of g.
    let transformedHead: Linear
    let bank: MemoryBank
    private let settings: Settings
    private var newest: Tensor?

    public init(_ settings: Settings, _ context: MethodContext) throws {
        let encoder = try context.makeEncoder()
        let width = settings.outputWidth
        online = ProjectedEncoder(encoder, Linear(encoder.outputWidth, width))
        patchHead = settings.transform == .jigsaw ? Linear(encoder.outputWidth, width) : nil
        transformedHead = Linear(settings.transform == .jigsaw ? 9 * width : encoder.outputWidth, width)
        bank = MemoryBank(samples: context.sampleCount, width: width)
        self.settings = settings
    }

    public func prepareRun(_ services: any RunServices) throws {
        bank.entries.set(try services.features { online($0) }.precise.normalized())
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let f = online(batch.views[0]).precise.normalized()
        let g = transformed(batch.views[1]).precise.normalized()
        newest = f.detached()
        let samples = bank.entries.value.size(0)
        // One set of negatives for the batch.
        let noise = (Tensor.rand([settings.negatives], .float64) * Double(samples)).to(.int64).to(f.device)
        let (own, others) = (bank(batch.indices), bank(noise))
        func term(_ b: Tensor) -> Tensor { Self.nce(own, b, negatives: others, temperature: settings.temperature) }
        return ["transformed": term(g) * settings.transformedWeight, "image": term(f) * (1 - settings.transformedWeight)]
    }

    /// ℓ, the mean over rows.
    /// - Parameters:
    ///   - m, b: [n, d] unit vectors.
    ///   - negatives: [|N|, d] unit vectors.
    static func nce(_ m: Tensor, _ b: Tensor, negatives: Tensor, temperature: Double) -> Tensor {
        let scores = b.matmul(negatives.t) / temperature
        let all = scores.logSumExp(1, keep: true)
        // −log h = log(1 + S/exp s), and −log(1 − h) = log(1 + exp s/S).
        let positive = (all.squeezed(1) - (m * b).sum(1) / temperature).softplus()
        return (positive + (scores - all).softplus().sum(1)).mean()
    }

    /// g of pixels [n, 3, s, s]: [n, d].
    func transformed(_ pixels: Tensor) -> Tensor {
        let n = pixels.size(0)
        guard let patchHead else {
            let turns = (Tensor.rand([n], .float64) * 4).to(.int64).to(pixels.device)
            let rotations = Tensor.stacked((0..<4).map { pixels.rotated(quarterTurns: $0) })
            return transformedHead(online.encoder(rotations.indexed([turns, Tensor.arange(n, on: pixels.device)])))
        }
        let patches = Self.patches(pixels)
        let encoded = patchHead(online.encoder(patches)).reshaped(n, 9, settings.outputWidth)
        let order = Tensor.rand([n, 9]).sorted(1).indices.to(pixels.device)
        let shuffled = encoded.gathered(1, order.unsqueezed(2).expanded(encoded.shape))
        return transformedHead(shuffled.flattened(from: 1))
    }

    /// Of each cell of a 3 × 3 grid, a patch of 64/75 of its side at a random place: [n, 3, s, s] to [9n, 3, p, p], an image's
    /// nine in reading order.
    static func patches(_ pixels: Tensor) -> Tensor {
        let (n, side, device) = (pixels.size(0), pixels.size(2), pixels.device)
        let (cell, patch) = TileCutting().sides(of: side)
        let corner = (Tensor.arange(3, .float64, on: device) * Double(cell)).to(.int64)
        // [n, 3, 3] of rows and of columns.
        func offset() -> Tensor { (Tensor.rand([n, 3, 3], .float64) * Double(cell - patch + 1)).to(.int64).to(device) }
        let reach = Tensor.arange(patch, on: device)
        let y = (corner.unsqueezed(1) + offset()).reshaped(9 * n, 1, 1) + reach.unsqueezed(1)
        let x = (corner + offset()).reshaped(9 * n, 1, 1) + reach
        let image = (Tensor.arange(9 * n, on: device).to(.float64) / 9).to(.int64).reshaped(9 * n, 1, 1)
        return pixels.permuted(0, 2, 3, 1).indexed([image, y, x]).permuted(0, 3, 1, 2)
    }

    public func afterStep(_ batch: Batch, _ step: Step) {
        if let newest { bank.update(batch.indices, towards: newest, momentum: settings.bankMomentum) }
        newest = nil
    }

    public var encoder: Encoder { online.encoder }
    public var projector: Module? { online.projector }
    public func embedding(_ representation: Tensor) -> Tensor? { online.projector(representation) }
}
