internal import Backbones
internal import Embeddings
internal import Torch
internal import Training
internal import Views

/// The labelled images that encoders are compared on.
struct EvaluationData {
    let train: any ImageDataset
    let test: (any ImageDataset)?
    let extraction: FeatureExtraction
    let seed: UInt64
    /// Where features are remembered; nil for nowhere.
    var cache: FeatureCache?
    /// Told the images of each pass that could not be read.
    var unreadable: ([UnreadableLog.Entry]) -> Void = { _ in }

    /// Features of the splits, and the images behind the rows.
    struct Splits {
        let train: Features
        let test: Features?
        let trainImages: SubsetDataset
        let testImages: SubsetDataset?
        let unreadable: [String]
    }

    func splits(of representation: Representation) throws -> Splits {
        let (trainFeatures, trainImages, trainUnreadable) = try features(train, representation)
        guard let test else {
            return Splits(
                train: trainFeatures, test: nil, trainImages: trainImages, testImages: nil, unreadable: trainUnreadable)
        }
        let (testFeatures, testImages, testUnreadable) = try features(test, representation)
        return Splits(
            train: trainFeatures, test: testFeatures, trainImages: trainImages, testImages: testImages,
            unreadable: trainUnreadable + testUnreadable)
    }

    private func features(
        _ images: any ImageDataset, _ representation: Representation
    ) throws -> (Features, SubsetDataset, [String]) {
        let found =
            try cache?.features(of: images, [representation], extraction) { [representation.features($0)] }?[0]
            ?? extraction(images) { representation.features($0) }
        let features = Features(
            matrix: found.rows, labels: found.labels, names: found.indices.map { images.name(at: $0) }, classNames: images.classNames)
        unreadable(found.unreadable)
        return (features, images.subset(found.indices), found.unreadable.map(\.description))
    }

    /// Reads all layers in one pass over the images, where features are remembered: `splits(of: .layer(…))` has them then.
    func readLayers(_ layers: [String], of encoder: Encoder, width: Int) throws {
        let wanted = layers.map { Representation.layer($0, of: encoder, width: width) }
        for images in [train, test].compactMap(\.self) {
            _ = try cache?.features(of: images, wanted, extraction) { pixels in
                let maps = encoder.backbone.features(encoder.input(pixels), at: Set(layers))
                return layers.map { Representation.pooled(maps[$0]!, width) }
            }
        }
    }
}
