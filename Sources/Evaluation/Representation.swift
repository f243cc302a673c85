internal import Backbones
internal import Embeddings
internal import Torch
internal import Training
internal import Views

/// A way from pixels to features that is put to the test: the encoder, or a baseline that shows what it is worth.
struct Representation {
    let name: String
    /// Pixels [n, 3, h, w] uint8 to [n, d].
    let features: (Tensor) -> Tensor
    /// nil for raw pixels.
    var encoder: Encoder?
    /// What features are remembered by, beside the encoder's weights.
    var part = "output"
    /// What SimCLRv2 fine-tunes from, where the run has it.
    var head: ProjectionHead?
    /// Where protocols leave what the report shows.
    var findings: Findings?
    /// New weights, of which fine-tuning is the supervised baseline.
    var isRandom = false

    static func encoder(_ encoder: Encoder, name: String, head: ProjectionHead? = nil) -> Representation {
        encoder.eval()
        return Representation(name: name, features: { encoder($0) }, encoder: encoder, head: head)
    }

    /// A named layer's map, averaged down to a square of at most `width` values in all.
    static func layer(_ layer: String, of encoder: Encoder, width: Int) -> Representation {
        Representation(
            name: layer,
            features: { pixels in
                pooled(encoder.backbone.features(encoder.input(pixels), at: [layer])[layer]!, width)
            }, encoder: encoder, part: "\(layer), \(width)")
    }

    /// [n, c, h, w] to [n, at most `width`, if c is].
    static func pooled(_ map: Tensor, _ width: Int) -> Tensor {
        let side = max(1, Int((Double(width) / Double(map.size(1))).squareRoot()))
        return (max(map.size(2), map.size(3)) > side ? map.adaptiveAveragePool2d(side) : map).contiguous().flattened(from: 1)
    }

    /// The side that raw pixels are averaged down to: 3,072 values, as many as a CIFAR image has.
    private static let rawSide = 32

    static var rawPixels: Representation {
        Representation(
            name: "raw pixels",
            features: { pixels in
                let x = pixels.to(.float32)
                return (max(x.size(2), x.size(3)) > rawSide ? x.adaptiveAveragePool2d(rawSide) : x).contiguous().flattened(from: 1)
            }, part: "pixels, \(rawSide)")
    }

    /// The same architecture with new weights. Its batch-norm statistics are estimated on training images, without which it
    /// would be a worse baseline than it is.
    static func random(
        like encoder: Encoder, seed: UInt64, calibratedOn images: any ImageDataset, _ extraction: FeatureExtraction
    ) throws -> Representation {
        Runtime.seed(seed)
        let random = try Encoder(encoder.settings, imageSize: encoder.imageSize, input: encoder.input)
        random.move(to: extraction.device)
        random.train()
        // With PyTorch's momentum of 0.1 the starting values weigh 0.9⁶⁴ ≈ 0.001 after 64 batches.
        let wanted = 64
        var batches = 0
        var calibration = extraction
        calibration.batchSize = min(64, images.count)
        let shuffled = images.subset(Sampler.shuffled(images.count, seed: seed, epoch: 0))
        while batches < wanted {
            _ = try calibration(shuffled, progress: { _ in batches < wanted }) { pixels in
                batches += 1
                return pixels.size(0) > 1 ? random(pixels) : Tensor.zeros([1, random.outputWidth])
            }
        }
        var representation = Representation.encoder(random, name: "random encoder")
        representation.isRandom = true
        return representation
    }
}
