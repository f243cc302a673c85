public import Backbones
public import Torch
public import Views

/// CMC: Contrastive Multiview Coding (Tian et al. 2019, arXiv:1906.05849), of the lightness L and the colours ab of an image.
///
///     L(V₁, V₂) = contrast of f_L against a memory bank of f_ab  +  contrast of f_ab against one of f_L       (eq. 3, 5)
///
/// Two networks of half the channels each see one of the two; h is both side by side. The contrast is instance discrimination's
/// across the banks: noise-contrastive estimation, or the exact softmax with `negatives: 0`, whose banks then begin as those of
/// instance discrimination do.
public final class CMC: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        public var outputWidth = 128
        /// m; 0 for the exact softmax over all images.
        public var negatives = 16384
        /// τ
        public var temperature = 0.07
        /// Of the old vector when a bank is updated.
        public var bankMomentum = 0.5

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.positive("outputWidth", outputWidth)
            try SettingsCheck.notNegative("negatives", negatives)
            try SettingsCheck.positive("temperature", temperature)
            try SettingsCheck.fraction("bankMomentum", bankMomentum)
        }

        public func suited(toImages count: Int, batchSize: Int) -> Settings {
            var copy = self
            // The exact softmax costs no more.
            if count <= 8 * negatives { copy.negatives = 0 }
            return copy
        }
    }

    public static let card = MethodCard(
        name: "cmc", title: "CMC", family: .contrastive, paper: "Tian et al. 2019, arXiv:1906.05849",
        summary: "an image's lightness finds its own colours among those of other images, and they its lightness",
        needs: "two vectors for every image",
        hasPositivePairs: false)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.cmc(size: ImageSize(imageSize))
    }

    public let encoder: Encoder
    /// Of L and of ab.
    let heads: [Linear]
    /// Of f_L and of f_ab.
    let memories: [ContrastiveBank]
    private let settings: Settings
    private var newest: [Tensor] = []

    public init(_ settings: Settings, _ context: MethodContext) throws {
        let encoder = try context.makeEncoder(input: .lab, channels: [1, 2])
        self.encoder = encoder
        heads = (0..<2).map { _ in Linear(encoder.outputWidth / 2, settings.outputWidth) }
        memories = (0..<2).map { _ in
            ContrastiveBank(
                samples: context.sampleCount, width: settings.outputWidth, negatives: settings.negatives, temperature: settings.temperature)
        }
        self.settings = settings
    }

    /// f_L and f_ab of h: [n, d] each, of length 1.
    private func projections(_ h: Tensor) -> [Tensor] {
        zip(heads, h.chunks(2, dimension: 1)).map { head, own in head(own).precise.normalized() }
    }

    public func prepareRun(_ services: any RunServices) throws {
        guard settings.negatives == 0 else { return }
        let f = try services.features { .concatenated(projections(encoder($0)), dimension: 1) }.chunks(2, dimension: 1)
        for (memory, f) in zip(memories, f) { memory.bank.entries.set(f.contiguous()) }
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let f = projections(encoder(batch.views[0]))
        newest = f.map { $0.detached() }
        return ["lightness": memories[1].loss(f[0], batch.indices), "colours": memories[0].loss(f[1], batch.indices)]
    }

    public func afterStep(_ batch: Batch, _ step: Step) {
        for (memory, f) in zip(memories, newest) { memory.update(batch.indices, towards: f, momentum: settings.bankMomentum) }
        newest = []
    }

    public func embedding(_ representation: Tensor) -> Tensor? { .concatenated(projections(representation), dimension: 1) }
}
