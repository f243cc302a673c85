extension ViewMaker {
    /// A picture of what this makes: one row for each image and draw, the image itself on the left, then its views.
    ///
    /// - Parameters:
    ///   - draws: Rows for each image: its views in so many successive epochs.
    ///   - gap: Pixels of white between views.
    public func sheet(of images: [PixelImage], seed: UInt64 = 0, draws: Int = 1, gap: Int = 4) -> PixelImage {
        let shown = outputs.indices.compactMap { output in outputs[output].imageSize.map { (output, size: $0) } }
        let cell = shown.map(\.size.height).max() ?? 1
        // The image itself in a square cell.
        let width = cell + gap + shown.reduce(0) { $0 + $1.size.width + gap } + gap
        let rows = max(1, images.count * draws)
        var sheet = PixelImage(
            width: width, height: rows * (cell + gap) + gap, pixels: [UInt8](repeating: 255, count: width * (rows * (cell + gap) + gap) * 3)
        )
        var scratch = Scratch()
        let memory = BatchMemory(outputs, capacity: 1)
        for row in 0..<images.count * draws {
            let image = images[row / draws]
            let y = gap + row * (cell + gap)
            sheet.paste(image.fitted(into: cell, scratch.canvas), x: gap, y: y)
            let key = SampleKey(seed: seed, epoch: row % draws, index: row / draws, position: row / draws)
            let partners = ImagesAsPartners(images: images, position: row / draws)
            make(image, key: key, partners: partners, into: memory.sample(0), scratch: &scratch)
            var x = gap + cell + gap
            for (output, size) in shown {
                let pixels = [UInt8](memory.sample(0).bytes(output))
                sheet.paste(PixelImage(width: size.width, height: size.height, pixels: pixels), x: x, y: y)
                x += size.width + gap
            }
        }
        return sheet
    }
}

private struct ImagesAsPartners: PartnerImages {
    let images: [PixelImage]
    let position: Int

    func image(_ n: Int) -> PixelImage? { images[((position + n) % images.count + images.count) % images.count] }
}

extension PixelImage {
    fileprivate mutating func paste(_ image: PixelImage, x: Int, y: Int) {
        for row in 0..<image.height {
            let from = row * image.width * 3
            let to = ((y + row) * width + x) * 3
            pixels.replaceSubrange(to..<to + image.width * 3, with: image.pixels[from..<from + image.width * 3])
        }
    }
}
