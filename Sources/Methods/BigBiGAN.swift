public import Backbones
public import Torch
public import Views

/// BigBiGAN (Donahue and Simonyan 2019, arXiv:1907.02544), and BiGAN (Donahue et al. 2016, arXiv:1605.09782) as its simple case.
///
///     s(x, z) = s_x(x), s_z(z), s_xz(x, z)
///     L_D  = Σ over the scores of E max(0, 1 − s(x, E(x))) + E max(0, 1 + s(G(z), z))
///     L_EG = Σ over the scores of E s(x, E(x)) − E s(G(z), z)                                               (section 2)
///
/// A discriminator tells pairs of an image and its encoding from pairs of a latent and what the generator makes of it; where it cannot,
/// encoder and generator undo each other. E(x) is normal with a mean and a deviation that a head on the representation gives. BiGAN has
/// the joint score alone, a plain encoding and the logistic loss: `unaryTerms: false`, `stochastic: false`, `loss: logistic`.
/// The networks are BigGAN's for 32 pixels, at any power of 2, narrower as set. Deviation: the discriminator's steps of a turn see the same
/// images, beside other latents, and come after the generator's.
public final class BigBiGAN: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        public enum Loss: String, Codable, Sendable, CaseIterable { case hinge, logistic }

        public var loss = Loss.hinge
        public var unaryTerms = true
        /// Whether E(x) is drawn rather than its mean.
        public var stochastic = true
        /// Of z.
        public var latentWidth = 120
        public var generatorWidth = 256
        public var discriminatorWidth = 128
        /// Of the discriminator's networks of vectors, and of the encoder's head.
        public var hiddenWidth = 2048
        public var discriminatorSteps = 2
        /// Times the learning rate.
        public var encoderRate = 1.0

        public init() {}

        public func validate() throws(SettingsError) {
            for (name, value) in [
                ("latentWidth", latentWidth), ("generatorWidth", generatorWidth), ("discriminatorWidth", discriminatorWidth),
                ("hiddenWidth", hiddenWidth), ("discriminatorSteps", discriminatorSteps),
            ] { try SettingsCheck.positive(name, value) }
            try SettingsCheck.positive("encoderRate", encoderRate)
        }
    }

    public static let card = MethodCard(
        name: "bigbigan", title: "BigBiGAN", family: .generative, paper: "Donahue and Simonyan 2019, arXiv:1907.02544",
        summary: "an encoder and a generator that a discriminator of pairs cannot tell apart", needs: "a generator and a discriminator",
        hasPositivePairs: false,
        remedy: "look at the samples in the report: lower the learning rate, or give the discriminator fewer steps")

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.crop(size: ImageSize(imageSize), scale: 0.5...1)
    }

    public let encoder: Encoder
    /// To μ and what σ is the softplus of.
    let head: MLP
    let generator: GeneratorNetwork
    let discriminator: JointDiscriminator
    private let settings: Settings

    public init(_ settings: Settings, _ context: MethodContext) throws {
        guard context.imageSize >= 8, context.imageSize & (context.imageSize - 1) == 0 else {
            throw SettingsError("data.imageSize must be a power of 2 from 8 on for bigbigan, not \(context.imageSize): take 32 or 64")
        }
        encoder = try context.makeEncoder()
        head = MLP([encoder.outputWidth, settings.hiddenWidth, (settings.stochastic ? 2 : 1) * settings.latentWidth])
        generator = GeneratorNetwork(settings.latentWidth, to: context.imageSize, width: settings.generatorWidth)
        discriminator = JointDiscriminator(
            settings.latentWidth, side: context.imageSize, width: settings.discriminatorWidth, hidden: settings.hiddenWidth)
        self.settings = settings
    }

    public var phases: [Phase] {
        [
            Phase(
                "network",
                [
                    Phase.Part(encoder, learningRateScale: settings.encoderRate),
                    Phase.Part(head, learningRateScale: settings.encoderRate), Phase.Part(generator),
                ]),
            Phase("discriminator", [Phase.Part(discriminator)], repeats: settings.discriminatorSteps),
        ]
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let pixels = batch.views[0]
        let latent = Tensor.randn([pixels.size(0), settings.latentWidth]).to(pixels.device)
        func pairs() -> (encoded: Tensor, made: Tensor) { (encode(pixels), generator(latent)) }
        let (encoded, made) = step.phase == 1 ? withoutGradients { pairs() } : pairs()
        let image = (pixels.dataType.isFloatingPoint ? pixels : pixels.to(.float32)) / 127.5 - 1
        let scores = discriminator(.concatenated([image, made.to(image.dataType)]), .concatenated([encoded, latent]))
            .map { $0.precise.chunks(2) }
        let used = settings.unaryTerms ? Array(zip(["image", "latent", "joint"], scores)) : [("joint", scores[2])]
        var losses: Losses = [:]
        for (name, score) in used {
            losses.parts.append((name, Self.loss(settings.loss, real: score[0], made: score[1], isDiscriminator: step.phase == 1)))
        }
        return losses
    }

    /// One score's part of L_D or L_EG.
    /// - Parameters: [n], of pairs from the encoder and from the generator.
    static func loss(_ kind: Settings.Loss, real: Tensor, made: Tensor, isDiscriminator: Bool) -> Tensor {
        switch (kind, isDiscriminator) {
        case (.hinge, true): Adversarial.hinge(real: real, made: made)
        case (.hinge, false): real.mean() - made.mean()
        case (.logistic, true): Adversarial.logistic(real: real, made: made)
        case (.logistic, false): Adversarial.logistic(real: made, made: real)
        }
    }

    /// E(x): [n, latentWidth].
    private func encode(_ pixels: Tensor) -> Tensor {
        let parts = head(encoder(pixels)).precise.split(settings.latentWidth, dimension: 1)
        guard settings.stochastic else { return parts[0] }
        return parts[0] + parts[1].softplus() * Tensor.randn(parts[0].shape).to(pixels.device)
    }

    /// μ
    private func mean(_ representation: Tensor) -> Tensor { head(representation).narrowed(1, from: 0, count: settings.latentWidth) }

    public func embedding(_ representation: Tensor) -> Tensor? { mean(representation) }

    public func pictures(of pixels: Tensor) -> [PictureRow] {
        func shown(_ image: Tensor) -> Tensor { (image.precise + 1) * 127.5 }
        let mean = self.mean(encoder(pixels))
        let latent = Tensor.randn(mean.shape).to(mean.device)
        return [
            PictureRow("The images", pixels), PictureRow("Their reconstructions G(E(x))", shown(generator(mean))),
            PictureRow("Samples: images of random latents", shown(generator(latent))),
        ]
    }
}
