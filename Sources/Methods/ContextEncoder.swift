public import Backbones
public import Torch
public import Views

/// Context encoders (Pathak et al. 2016, arXiv:1604.07379): what was taken out of an image is to be filled in.
///
///     L = λ_rec·‖M ⊙ (x − F((1 − M) ⊙ x))‖² + λ_adv·L_adv                                                    (eq. 1, 3)
///     L_adv = max_D mean of log D(x) + log(1 − D(F((1 − M) ⊙ x)))                                              (eq. 2)
///
/// Taken out is the central square of half the side, or blocks, or regions without straight edges. Of the central square, whose rim of
/// `overlap` pixels the network sees, only that square is predicted, and the rim's error weighs ten times. Between encoder and decoder
/// lies a fully-connected layer within each channel, then a 1×1 convolution. F has log D for −log(1 − D), as usual.
///
/// Deviations: random regions are where smooth noise is highest (the paper takes shapes of PASCAL VOC); of these and of blocks D sees
/// the image with its holes filled.
public final class ContextEncoder: Module, DeviceTask {
    public struct Settings: MethodSettings {
        public enum Region: String, Codable, Sendable, CaseIterable { case central, blocks, regions }

        public var region = Region.central
        /// Of blocks and regions: the share of the image.
        public var maskRatio = 0.25
        /// Pixels.
        public var overlap = 4
        public var overlapWeight = 10.0
        /// λ_rec
        public var reconstructionWeight = 0.999
        /// λ_adv; 0 trains no discriminator.
        public var adversarialWeight = 0.001
        public var decoderWidth = 256
        /// Channels of the discriminator's first layer.
        public var discriminatorWidth = 64
        /// Times the learning rate; the authors' code has a tenth.
        public var discriminatorRate = 0.1

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.require(maskRatio > 0 && maskRatio < 1, "method.maskRatio must be between 0 and 1, not \(maskRatio)")
            try SettingsCheck.notNegative("overlap", overlap)
            try SettingsCheck.positive("overlapWeight", overlapWeight)
            try SettingsCheck.notNegative("reconstructionWeight", reconstructionWeight)
            try SettingsCheck.notNegative("adversarialWeight", adversarialWeight)
            try SettingsCheck.require(
                reconstructionWeight + adversarialWeight > 0,
                "method.reconstructionWeight and method.adversarialWeight are both 0: nothing would be learned")
            try SettingsCheck.positive("decoderWidth", decoderWidth)
            try SettingsCheck.positive("discriminatorWidth", discriminatorWidth)
            try SettingsCheck.positive("discriminatorRate", discriminatorRate)
        }
    }

    public static let card = MethodCard(
        name: "context_encoder", title: "Context encoder", family: .generative, paper: "Pathak et al. 2016, arXiv:1604.07379",
        summary: "fills in what was taken out of an image, so that a discriminator takes it for real", leastBatch: 1,
        hasPositivePairs: false, remedy: MethodCard.remedyOfGivenTargets)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try ViewRecipe.crop(size: ImageSize(imageSize), scale: 0.2...1)
    }

    public let encoder: Encoder
    let channelwise: ChannelwiseLinear
    let mixing: Conv2d
    let decoder: MapDecoder
    let discriminator: ImageDiscriminator?
    private let settings: Settings
    private let imageSize: Int
    /// Of the last batch, for the discriminator's turn.
    private var real: Tensor?
    private var made: Tensor?

    public init(_ settings: Settings, _ context: MethodContext) throws {
        let encoder = try context.makeEncoder()
        self.encoder = encoder
        let maps = try encoder.lastMapShape()
        let predicted = settings.region == .central ? context.imageSize / 2 : context.imageSize
        guard settings.region != .central || 2 * settings.overlap < predicted else {
            throw SettingsError(
                "method.overlap (\(settings.overlap)) leaves nothing of a square of \(predicted) pixels: take at most \((predicted - 1) / 2)"
            )
        }
        channelwise = ChannelwiseLinear(channels: maps.channels, places: maps.side * maps.side)
        mixing = Conv2d(maps.channels, maps.channels, kernel: 1)
        decoder = MapDecoder(maps.channels, side: maps.side, to: predicted, width: settings.decoderWidth, outputs: 3)
        discriminator =
            settings.adversarialWeight > 0 ? ImageDiscriminator(side: predicted, width: settings.discriminatorWidth) : nil
        self.settings = settings
        imageSize = context.imageSize
    }

    public var phases: [Phase] {
        guard let discriminator else { return [Phase("main", [Phase.Part(self)])] }
        return [
            Phase("network", [encoder, channelwise, mixing, decoder].map { Phase.Part($0) }),
            Phase("discriminator", [Phase.Part(discriminator, learningRateScale: settings.discriminatorRate)]),
        ]
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        if step.phase == 1, let discriminator {
            if real == nil { withoutGradients { _ = predict(batch.views[0]) } }
            defer { (real, made) = (nil, nil) }
            return ["adversarial": Adversarial.logistic(real: discriminator(real!), made: discriminator(made!))]
        }
        let (prediction, target, weights) = predict(batch.views[0])
        var losses: Losses = [
            "reconstruction": Self.reconstruction(prediction, target, weights) * settings.reconstructionWeight
        ]
        if let discriminator, settings.adversarialWeight > 0 {
            let filled = settings.region == .central ? prediction : prediction * weights + target * (1 - weights)
            losses.parts.append(("adversarial", Adversarial.deceiving(discriminator(filled)) * settings.adversarialWeight))
        }
        return losses
    }

    /// What is told of what was taken out, what is true, and how much each place of it counts: [n, 3, s, s] twice and [·, 1, s, s].
    private func predict(_ pixels: Tensor) -> (Tensor, Tensor, Tensor) {
        let x = encoder.input(pixels)
        let hidden = mask(pixels.size(0)).to(x.dataType).to(x.device)
        let prediction = fill(x, hidden)
        var (target, weights) = (x, hidden)
        if settings.region == .central {
            target = Self.centre(x)
            weights = 1 + (1 - Self.centre(hidden)) * (settings.overlapWeight - 1)
        }
        if discriminator != nil {
            real = target.detached()
            let filled = settings.region == .central ? prediction : prediction * weights + target * (1 - weights)
            made = filled.detached()
        }
        return (prediction, target, weights)
    }

    /// F((1 − M) ⊙ x): the mean colour, which is 0, takes the place of what is hidden.
    private func fill(_ x: Tensor, _ hidden: Tensor) -> Tensor {
        let maps = encoder.lastMaps(of: (x * (1 - hidden)).contiguous(.channelsLast))
        return decoder(mixing(channelwise(maps).relu()).relu()).precise
    }

    /// M: [n, 1, side, side], or [1, 1, side, side] where it is the same for all.
    func mask(_ images: Int) -> Tensor {
        switch settings.region {
        case .central:
            let inner = imageSize / 2 - 2 * settings.overlap
            let before = imageSize / 4 + settings.overlap
            let after = imageSize - before - inner
            return Tensor.ones([1, 1, inner, inner]).padded([before, after, before, after])
        case .blocks: return RegionMasks.blocks(images, side: imageSize, share: settings.maskRatio)
        case .regions: return RegionMasks.regions(images, side: imageSize, share: settings.maskRatio)
        }
    }

    /// The square of half the side in the middle.
    static func centre(_ x: Tensor) -> Tensor {
        let side = x.size(3)
        return x.narrowed(2, from: side / 4, count: side / 2).narrowed(3, from: side / 4, count: side / 2)
    }

    /// The weighted squared error per value: of the central square over all of it, of what else was taken out over that alone.
    /// - Parameters:
    ///   - prediction, target: [n, 3, s, s]
    ///   - weights: [n or 1, 1, s, s]: 0 and 1, or 1 and more.
    static func reconstruction(_ prediction: Tensor, _ target: Tensor, _ weights: Tensor) -> Tensor {
        let counted = weights.greater(0).to(prediction.dataType).expanded([prediction.size(0), 3, prediction.size(2), prediction.size(3)])
        return ((prediction - target).squared() * weights).sum() / counted.sum().clamped(1)
    }

    public func task(of pixels: Tensor) -> [PictureRow] {
        let x = encoder.input(pixels)
        let hidden = mask(pixels.size(0)).to(x.device)
        return [
            PictureRow("seen", encoder.input.pixels(x * (1 - hidden))), PictureRow("told", encoder.input.pixels(x * hidden)),
        ]
    }

    public func pictures(of pixels: Tensor) -> [PictureRow] {
        let x = encoder.input(pixels)
        let hidden = mask(pixels.size(0)).to(x.device)
        var prediction = fill(x, hidden)
        if settings.region == .central {
            let (before, after) = (imageSize / 4, imageSize - imageSize / 4 - imageSize / 2)
            prediction = prediction.padded([before, after, before, after])
        }
        return [
            PictureRow("What it sees", encoder.input.pixels(x * (1 - hidden))),
            PictureRow("What it fills in", encoder.input.pixels(x * (1 - hidden) + prediction * hidden)),
            PictureRow("The images", pixels),
        ]
    }
}
