extension ViewMaker {
    /// A picture of what this makes: under the outputs' names one row for each image and draw, the image itself on the left, then its
    /// views, and under these what the targets say.
    ///
    /// - Parameters:
    ///   - draws: Rows for each image: its views in so many successive epochs.
    ///   - gap: Pixels of white between views.
    ///   - task: further columns: what is made of every row's first view, such as what is hidden from it.
    public func sheet(
        of images: [PixelImage], seed: UInt64 = 0, draws: Int = 1, gap: Int = 4,
        task: ([PixelImage]) -> [(name: String, pictures: [PixelImage])] = { _ in [] }
    ) -> PixelImage {
        sheet(images.count, seed: seed, draws: draws, gap: gap, task: task) { place, key, buffers, scratch in
            make(images[place], key: key, partners: ImagesAsPartners(images: images, position: place), into: buffers, scratch: &scratch)
            return images[place]
        }
    }

    /// - Parameter fill: makes a row's outputs, and gives what stands on its left; nil for no row.
    fileprivate func sheet(
        _ count: Int, seed: UInt64, draws: Int, gap: Int, task: ([PixelImage]) -> [(name: String, pictures: [PixelImage])] = { _ in [] },
        fill: (_ place: Int, _ key: SampleKey, _ buffers: OutputBuffers, _ scratch: inout Scratch) -> PixelImage?
    ) -> PixelImage {
        let shown = outputs.indices.compactMap { output in outputs[output].imageSize.map { (output, size: $0) } }
        var cell = shown.map(\.size.height).max() ?? 1
        var scratch = Scratch()
        let memory = BatchMemory(outputs, capacity: 1)
        var rows: [ContactSheet.Row] = []
        for row in 0..<count * draws {
            let place = row / draws
            let buffers = memory.sample(0)
            let key = SampleKey(seed: seed, epoch: row % draws, index: place, position: place)
            guard let image = fill(place, key, buffers, &scratch) else { continue }
            let views = shown.map { PixelImage(width: $1.width, height: $1.height, pixels: [UInt8](buffers.bytes($0))) }
            rows.append(.init(pictures: [image.fitted(into: cell, scratch.canvas)] + views, captions: captions(of: buffers)))
        }
        var columns = [("image", cell)] + shown.map { (outputs[$0].name, $1.width) }
        for further in shown.isEmpty ? [] : task(rows.map { $0.pictures[1] }) {
            for (row, picture) in zip(rows.indices, further.pictures) { rows[row].pictures.append(picture) }
            columns.append((further.name, further.pictures.first?.width ?? 1))
            cell = max(cell, further.pictures.first?.height ?? 1)
        }
        return ContactSheet.draw(rows, columns: columns, cell: cell, gap: gap)
    }
}

extension ClipViewMaker {
    /// The same of clips, whose middle frames stand on the left. Clips that are too short have no row, nor have samples of which a
    /// frame cannot be read.
    public func sheet(of clips: [Clip], seed: UInt64 = 0, draws: Int = 1, gap: Int = 4) -> PixelImage {
        sheet(clips.count, seed: seed, draws: draws, gap: gap) { place, key, buffers, scratch in
            let clip = clips[place]
            guard clip.count >= leastFrames, let middle = try? clip.frame(clip.count / 2) else { return nil }
            do { try make(clip, key: key, into: buffers, scratch: &scratch) } catch { return nil }
            return middle
        }
    }
}

private struct ImagesAsPartners: PartnerImages {
    let images: [PixelImage]
    let position: Int

    func image(_ n: Int) -> PixelImage? { images[((position + n) % images.count + images.count) % images.count] }
}

/// Pictures in rows and columns, with names above the columns and lines of text below the rows.
public enum ContactSheet {
    public struct Row {
        public var pictures: [PixelImage]
        public var captions: [String]

        public init(pictures: [PixelImage], captions: [String] = []) {
            self.pictures = pictures
            self.captions = captions
        }
    }

    /// - Parameters:
    ///   - columns: names, cut off where they do not fit, and widths in pixels.
    ///   - cell: height of a row's pictures.
    ///   - gap: pixels of white around pictures.
    public static func draw(_ rows: [Row], columns: [(name: String, width: Int)], cell: Int, gap: Int = 4) -> PixelImage {
        // A line of text has two pixels of room.
        let line = SheetText.height + 2
        let lines = rows.map(\.captions.count).max() ?? 0
        let pictures = gap + columns.reduce(0) { $0 + $1.width + gap }
        let width = max(pictures, (rows.flatMap(\.captions).map { SheetText.width($0) }.max() ?? 0) + 2 * gap)
        let step = cell + gap + lines * line
        let height = gap + line + max(1, rows.count) * step + gap
        var sheet = PixelImage(width: width, height: height, pixels: [UInt8](repeating: 255, count: width * height * 3))
        var x = gap
        for (column, (name, width)) in columns.enumerated() {
            sheet.write(SheetText.fitting(name, width), x: x, y: gap)
            for (row, content) in rows.enumerated() where column < content.pictures.count {
                sheet.paste(content.pictures[column], x: x, y: gap + line + row * step)
            }
            x += width + gap
        }
        for (row, content) in rows.enumerated() {
            let y = gap + line + row * step + cell + 2
            for (number, caption) in content.captions.enumerated() { sheet.write(caption, x: gap, y: y + number * line) }
        }
        return sheet
    }
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
