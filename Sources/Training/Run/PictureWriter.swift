internal import Files
internal import Foundation
internal import Methods
internal import Torch
internal import Views

/// What a method makes of a few images, as PNG and `pictures.json` in the run's `evaluation` folder.
enum PictureWriter {
    private static let gap = 2

    /// - Parameter seed: of what the method draws: the same whenever the pictures are made.
    static func write(_ method: any SelfSupervisedMethod, _ pixels: Tensor, seed: UInt64, to folder: RunFolder) throws {
        let generators = Set([.cpu, pixels.device]).map { ($0, Runtime.generatorState($0)) }
        Runtime.seed(seed)
        let rows = method.evaluating { inference { method.pictures(of: pixels) } }
        for (device, state) in generators { Runtime.setGeneratorState(state, of: device) }
        guard !rows.isEmpty else { return }
        var sheet = PictureSheet(rows: [])
        for (number, row) in rows.enumerated() {
            let name = "pictures/\(number + 1).png"
            try AtomicFile.write(ImageEncoder.png(strip(row.images)), to: "\(folder.evaluation)/\(name)")
            sheet.rows.append(.init(title: row.title, image: name))
        }
        try JSONFile.write(sheet, to: "\(folder.evaluation)/pictures.json")
    }

    /// [n, 3, h, w] beside each other, with white between.
    static func strip(_ images: Tensor) -> PixelImage {
        let (height, width) = (images.size(2), images.size(3))
        let bytes = (images.to(.float32).clamped(0, 255) + 0.5).clamped(0, 255).to(.uint8).permuted(2, 0, 3, 1).contiguous()
        let spaced = Tensor.full([height, images.size(0), width + gap, 3], 255, .uint8)
        spaced.narrowed(2, from: 0, count: width).copyInPlace(bytes.to(.cpu))
        let pixels = spaced.flattened(from: 1, to: 2).narrowed(1, from: 0, count: images.size(0) * (width + gap) - gap)
        return PixelImage(width: pixels.size(1), height: height, pixels: pixels.contiguous().bytes)
    }
}
