extension ViewMaker {
    /// A picture of what this makes: under the outputs' names one row for each image and draw, the image itself on the left, then its
    /// views, and under these what the targets say.
    ///
    /// - Parameters:
    ///   - draws: Rows for each image: its views in so many successive epochs.
    ///   - gap: Pixels of white between views.
    public func sheet(of images: [PixelImage], seed: UInt64 = 0, draws: Int = 1, gap: Int = 4) -> PixelImage {
        let shown = outputs.indices.compactMap { output in outputs[output].imageSize.map { (output, size: $0) } }
        let cell = shown.map(\.size.height).max() ?? 1
        let rows = images.count * draws
        var scratch = Scratch()
        let memory = BatchMemory(outputs, capacity: max(1, rows))
        var captions: [[String]] = []
        for row in 0..<rows {
            let place = row / draws
            let key = SampleKey(seed: seed, epoch: row % draws, index: place, position: place)
            make(
                images[place], key: key, partners: ImagesAsPartners(images: images, position: place), into: memory.sample(row),
                scratch: &scratch)
            captions.append(self.captions(of: memory.sample(row)))
        }
        // The image itself in a square cell; a line of text has two pixels of room.
        let line = SheetText.height + 2
        let lines = captions.map(\.count).max() ?? 0
        let pictures = gap + cell + gap + shown.reduce(0) { $0 + $1.size.width + gap }
        let width = max(pictures, (captions.joined().map { SheetText.width($0) }.max() ?? 0) + 2 * gap)
        let step = cell + gap + lines * line
        let height = gap + line + max(1, rows) * step + gap
        var sheet = PixelImage(width: width, height: height, pixels: [UInt8](repeating: 255, count: width * height * 3))
        sheet.write(SheetText.fitting("image", cell), x: gap, y: gap)
        for row in 0..<rows {
            let y = gap + line + row * step
            sheet.paste(images[row / draws].fitted(into: cell, scratch.canvas), x: gap, y: y)
            var x = gap + cell + gap
            for (output, size) in shown {
                if row == 0 { sheet.write(SheetText.fitting(outputs[output].name, size.width), x: x, y: gap) }
                let pixels = [UInt8](memory.sample(row).bytes(output))
                sheet.paste(PixelImage(width: size.width, height: size.height, pixels: pixels), x: x, y: y)
                x += size.width + gap
            }
            for (number, caption) in captions[row].enumerated() { sheet.write(caption, x: gap, y: y + cell + 2 + number * line) }
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

    /// A line of black text.
    fileprivate mutating func write(_ text: String, x: Int, y: Int) {
        var dark: [Int] = []
        SheetText.draw(text) { dark.append(((y + $1) * width + x + $0) * 3) }
        for place in dark { for channel in 0..<3 { pixels[place + channel] = 0 } }
    }
}
