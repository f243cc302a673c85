internal import Backbones
internal import Embeddings
internal import Files
internal import Foundation
internal import Torch
internal import Training
internal import Views

/// What a protocol found on the way to its numbers, for the report.
final class Findings {
    /// The linear probe on the test split: its classifier and what it said.
    var linear: (classifier: LinearClassifier, classification: Classification)?
}

/// Where in an image a linear classifier on pooled features sees a class: Grad-CAM (Selvaraju et al. 2017, arXiv:1610.02391), which
/// for such a classifier is the class activation map of Zhou et al. 2016.
///
///     L = ReLU(Σ_c α_c A_c),  α_c = 1/(hw) Σ ∂y/∂A_c = w_c s_c / (hw)     s: the standardisation's scale
enum Saliency {
    /// - Parameters:
    ///   - maps: [n, c, h, w], whose means over positions are the features.
    ///   - classes: n classes that the classifier knows.
    /// - Returns: [n, h, w] from 0 to 1.
    static func maps(_ maps: Tensor, _ classifier: LinearClassifier, classes: [Int]) -> Tensor {
        withoutGradients {
            let places = classes.map { classifier.classes.firstIndex(of: $0)! }
            let weights = (classifier.weight * classifier.standardization.scale.to(classifier.weight.device)).rows(
                Tensor(places).to(classifier.weight.device)
            ).to(maps.device)
            return scaled((maps.to(.float32) * weights.reshaped(maps.size(0), maps.size(1), 1, 1)).sum(1).relu())
        }
    }

    /// Of a transformer: where the last block's summary attends to.
    /// - Parameter maps: [n, heads, h, w], not negative.
    /// - Returns: [n, h, w], the mean over heads, from 0 to 1.
    static func attention(_ maps: Tensor) -> Tensor { scaled(maps.to(.float32).mean(1)) }

    /// Each map by its largest value.
    private static func scaled(_ maps: Tensor) -> Tensor {
        let (n, h, w) = (maps.size(0), maps.size(1), maps.size(2))
        return maps / maps.contiguous().reshaped(n, h * w).max(1).clamped(1e-12).reshaped(n, 1, 1)
    }

    /// The picture with a map over it: darker where there is nothing, towards yellow where there is much.
    static func overlay(_ image: PixelImage, _ map: Tensor) -> PixelImage {
        let heat = map.reshaped(1, 1, map.size(0), map.size(1)).resizedBilinear(height: image.height, width: image.width)
            .contiguous().floats
        let colour: [Float] = [255, 210, 0]
        let pixels = image.pixels.indices.map { place -> UInt8 in
            let (heat, own) = (heat[place / 3], Float(image.pixels[place]))
            return UInt8(max(0, min(255, (own * (0.45 + 0.1 * heat) + colour[place % 3] * 0.45 * heat).rounded())))
        }
        return PixelImage(width: image.width, height: image.height, pixels: pixels)
    }
}

extension EvaluationFolder {
    private static let shown = 24

    /// The confusion matrix and the images that the linear probe is most wrong about.
    func writeMistakes(_ findings: Findings, _ splits: EvaluationData.Splits, _ representation: Representation, side: Int, of data: String?)
        throws
    {
        guard let (classifier, said) = findings.linear, let test = splits.test, let images = splits.testImages,
            said.labels.count == test.count
        else { return }
        let logits = withoutGradients { classifier.logits(test.matrix).to(.cpu).softmax(1).max(1).floats }
        let wrong = said.scored.filter { said.predictions[$0] != said.labels[$0] }.sorted { (logits[$1], $0) < (logits[$0], $1) }
        let rows = Array(wrong.prefix(Self.shown))
        let (maps, kind) = try saliency(of: rows, images, representation, classifier, said)
        let worst = try rows.enumerated().map { place, row in
            let image = try images.image(at: row, coveringAtLeast: side).thumbnail(side)
            func write(_ image: PixelImage, _ name: String) throws -> String {
                let file = "thumbnails/\(name)-\(place).png"
                try AtomicFile.write(ImageEncoder.png(image), to: "\(path)/\(file)")
                return file
            }
            return MistakeSheet.Mistake(
                image: try write(image, "mistake"),
                saliency: try maps.map { try write(Saliency.overlay(image, $0.selected(0, place)), "saliency") },
                label: said.classNames[said.labels[row]], predicted: said.classNames[said.predictions[row]], confidence: Double(logits[row])
            )
        }
        try JSONFile.write(
            MistakeSheet(
                classifier: "linear probe", classes: said.classNames, confusion: said.confusion, saliency: kind, worst: worst, data: data),
            to: "\(path)/mistakes.json")
    }

    /// [rows, h, w]: Grad-CAM, or attention where the network has that and no maps that are averaged to its features.
    private func saliency(
        of rows: [Int], _ images: any ImageDataset, _ representation: Representation, _ classifier: LinearClassifier, _ said: Classification
    ) throws -> (Tensor?, MistakeSheet.Saliency?) {
        // Of an image that is seen in patches no map's mean is the features.
        guard let encoder = representation.encoder, encoder.input.patches == nil, !rows.isEmpty else { return (nil, nil) }
        let extraction = FeatureExtraction(
            imageSize: encoder.imageSize, batchSize: rows.count, threads: 0, device: encoder.parameters[0].value.device)
        func found(_ body: (Tensor) -> Tensor) throws -> Tensor? {
            let found = try extraction(images.subset(rows)) { body(encoder.input($0)) }
            return found.indices.count == rows.count ? found.rows : nil
        }
        if let layer = encoder.backbone.attributionLayer {
            let maps = try found { encoder.backbone.features($0, at: [layer])[layer]! }
            return (maps.map { Saliency.maps($0, classifier, classes: rows.map { said.predictions[$0] }) }, maps.map { _ in .gradCAM })
        }
        var attends = true
        let maps = try found { x in
            guard let maps = encoder.backbone.attentionMaps(x) else {
                attends = false
                return Tensor.zeros([x.size(0), 1])
            }
            return maps
        }
        return attends ? (maps.map(Saliency.attention), maps.map { _ in .attention }) : (nil, nil)
    }
}
