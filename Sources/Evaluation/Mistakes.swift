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
            let (n, c, h, w) = (maps.size(0), maps.size(1), maps.size(2), maps.size(3))
            let positive = (maps.to(.float32) * weights.reshaped(n, c, 1, 1)).sum(1).relu()
            let most = positive.contiguous().reshaped(n, h * w).max(1).clamped(1e-12).reshaped(n, 1, 1)
            return positive / most
        }
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
    func writeMistakes(_ findings: Findings, _ splits: EvaluationData.Splits, _ representation: Representation, side: Int) throws {
        guard let (classifier, said) = findings.linear, let test = splits.test, let images = splits.testImages,
            said.labels.count == test.count
        else { return }
        let logits = withoutGradients { classifier.logits(test.matrix).to(.cpu).softmax(1).max(1).floats }
        let wrong = said.scored.filter { said.predictions[$0] != said.labels[$0] }.sorted { (logits[$1], $0) < (logits[$0], $1) }
        let rows = Array(wrong.prefix(Self.shown))
        var maps: Tensor?
        if let encoder = representation.encoder, let layer = encoder.backbone.attributionLayer, !rows.isEmpty {
            let extraction = FeatureExtraction(
                imageSize: encoder.imageSize, batchSize: rows.count, threads: 0, device: encoder.parameters[0].value.device)
            let found = try extraction(images.subset(rows)) { encoder.backbone.features(encoder.input($0), at: [layer])[layer]! }
            if found.indices.count == rows.count {
                maps = Saliency.maps(found.rows, classifier, classes: rows.map { said.predictions[$0] })
            }
        }
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
            MistakeSheet(classifier: "linear probe", classes: said.classNames, confusion: said.confusion, worst: worst),
            to: "\(path)/mistakes.json")
    }
}
