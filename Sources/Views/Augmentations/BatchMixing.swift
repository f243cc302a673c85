/// Mixing of the samples of one batch. The pairing and the weight are drawn once for the batch, from the seed, the epoch
/// and the batch's number.
public struct BatchMix: Sendable, Equatable {
    /// The weight λ of each sample itself; its partner's is 1 − λ.
    public var lambda: Double
    /// The partner of each sample.
    public var partners: [Int]
    /// CutMix: what is taken from the partner.
    public var box: PixelBox?
}

/// x̃ = λ xᵢ + (1 − λ) xⱼ, and the same for labels, λ ~ Beta(α, α) (Zhang et al. 2018, which finds α in 0.1 … 0.4 good on
/// ImageNet). Only the draws: the sum is made in floating point, where the batch is.
public struct MixUp: Sendable, Equatable, Codable {
    public var alpha: Double

    public init(alpha: Double = 0.2) throws(AugmentationError) {
        try Check(augmentation: "mixUp").holds(alpha > 0 && alpha.isFinite, "alpha is \(alpha), but must be above 0")
        self.alpha = alpha
    }

    private enum CodingKeys: String, CodingKey, CaseIterable { case alpha }

    public init(from decoder: any Decoder) throws {
        var alpha = 0.2
        try SettingsReader(decoder, "mixUp", CodingKeys.self).read(.alpha, &alpha)
        try self.init(alpha: alpha)
    }

    public func draw(count: Int, seed: UInt64, epoch: Int, batch: Int) -> BatchMix {
        var random = ViewKey(seed: seed, epoch: epoch, index: batch, stream: -1).random()
        let lambda = random.beta(alpha, alpha)
        return BatchMix(lambda: lambda, partners: random.permutation(count))
    }
}

/// A rectangle of each image is replaced by its partner's; λ is the share that stays (Yun et al. 2019, α = 1).
public struct CutMix: Sendable, Equatable, Codable {
    public var alpha: Double

    public init(alpha: Double = 1) throws(AugmentationError) {
        try Check(augmentation: "cutMix").holds(alpha > 0 && alpha.isFinite, "alpha is \(alpha), but must be above 0")
        self.alpha = alpha
    }

    private enum CodingKeys: String, CodingKey, CaseIterable { case alpha }

    public init(from decoder: any Decoder) throws {
        var alpha = 1.0
        try SettingsReader(decoder, "cutMix", CodingKeys.self).read(.alpha, &alpha)
        try self.init(alpha: alpha)
    }

    /// The box has share 1 − λ of the area and a uniform centre; what falls outside is cut off and λ corrected.
    public func draw(count: Int, size: ImageSize, seed: UInt64, epoch: Int, batch: Int) -> BatchMix {
        var random = ViewKey(seed: seed, epoch: epoch, index: batch, stream: -2).random()
        let side = (1 - random.beta(alpha, alpha)).squareRoot()
        let partners = random.permutation(count)
        let (width, height) = (Int(Double(size.width) * side), Int(Double(size.height) * side))
        let x = random.integer(below: size.width) - width / 2
        let y = random.integer(below: size.height) - height / 2
        let columns = max(0, x)..<min(size.width, x + width)
        let rows = max(0, y)..<min(size.height, y + height)
        let box = PixelBox(x: columns.lowerBound, y: rows.lowerBound, width: columns.count, height: rows.count)
        let lambda = 1 - Double(box.width * box.height) / Double(size.width * size.height)
        return BatchMix(lambda: lambda, partners: partners, box: box)
    }

    /// Pastes each partner's box in place.
    /// - Parameter images: count × height × width × 3 bytes, count being that of `mix.partners`.
    public static func apply(_ mix: BatchMix, to images: UnsafeMutableBufferPointer<UInt8>, size: ImageSize) {
        guard let box = mix.box, box.width > 0, box.height > 0 else { return }
        let sample = size.height * size.width * 3
        precondition(images.count == mix.partners.count * sample, "CutMix: the images are not \(mix.partners.count) of \(size)")
        let row = box.width * 3
        // The boxes are copied out first: a sample may be a partner after its own box has been replaced.
        var boxes: [UInt8] = []
        boxes.reserveCapacity(mix.partners.count * box.height * row)
        for partner in mix.partners {
            for y in box.y..<box.y + box.height {
                let start = partner * sample + (y * size.width + box.x) * 3
                boxes.append(contentsOf: images[start..<start + row])
            }
        }
        boxes.withUnsafeBufferPointer { boxes in
            for i in mix.partners.indices {
                for y in 0..<box.height {
                    let to = images.baseAddress! + i * sample + ((box.y + y) * size.width + box.x) * 3
                    to.update(from: boxes.baseAddress! + (i * box.height + y) * row, count: row)
                }
            }
        }
    }
}
