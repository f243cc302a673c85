import CPixels

/// The image that augmentations change. One canvas belongs to one thread and is used for one view after another, so
/// that its memory is allocated once.
///
/// Cropping, resizing and mirroring are only noted until somebody wants pixels. So a crop that is mirrored afterwards is
/// one pass, and only the rows and columns that the result needs are read. From then on the image is in planes, which
/// is what the vector loops want; it goes back to interleaved RGB once, in `write`.
public final class Canvas {
    /// The image's present size.
    public private(set) var size = ImageSize(1)
    /// The size that the view should end at.
    public private(set) var target = ImageSize(1)
    /// Where the image lies in what was loaded.
    public private(set) var region = Region()

    /// The decoded image, as long as nothing has been computed from it.
    private var source: PixelImage?
    private var pending: Sampling?
    private var current = AlignedBuffer()
    private var spare = AlignedBuffer()
    private let kept = AlignedBuffer()
    private var keptSize = ImageSize(1)
    private var keptRegion = Region()
    private let work = AlignedBuffer()
    private let horizontal = ResamplingTaps()
    private let vertical = ResamplingTaps()

    public init() {}

    /// Starts a view of `image` that should end at `target`.
    public func load(_ image: PixelImage, target: ImageSize) {
        source = image
        pending = nil
        size = ImageSize(height: image.height, width: image.width)
        self.target = target
        region = Region()
    }

    /// Applies `augmentations` in order, each with its own random numbers from `key`. `first` counts those that the
    /// image has behind it.
    public func apply(_ augmentations: some Collection<Augmentation>, key: ViewKey, first: Int = 0) {
        for (offset, augmentation) in augmentations.enumerated() {
            var random = key.random(step: first + offset)
            augmentation.step.apply(to: self, random: &random)
        }
    }

    /// Writes height × width × 3 interleaved bytes.
    public func write(to output: UnsafeMutablePointer<UInt8>) {
        let planes = self.planes()
        pixels_interleave(planes.red, planes.stride, planes.plane, planes.width, planes.height, output)
    }

    public func image() -> PixelImage {
        let bytes = [UInt8](unsafeUninitializedCapacity: size.height * size.width * 3) { buffer, count in
            write(to: buffer.baseAddress!)
            count = size.height * size.width * 3
        }
        return PixelImage(width: size.width, height: size.height, pixels: bytes)
    }

    // MARK: Several views from one beginning

    /// Remembers the present image for `restore`, until the next `keep`.
    func keep() {
        let planes = self.planes()
        kept.reserve(3 * planes.plane).update(from: planes.red, count: 3 * planes.plane)
        keptSize = size
        keptRegion = region
    }

    func restore(target: ImageSize) {
        settle(at: keptSize, target: target)
        region = keptRegion
        let planes = Planes(current, size)
        planes.red.update(from: kept.base, count: 3 * planes.plane)
    }

    private func settle(at size: ImageSize, target: ImageSize) {
        source = nil
        pending = nil
        self.size = size
        self.target = target
    }

    // MARK: Geometry

    /// Cuts out `box` and brings it to `size`.
    /// - Precondition: `box` lies inside the image and neither is empty.
    public func resize(_ box: PixelBox? = nil, to size: ImageSize, _ interpolation: Interpolation, antialias: Bool) {
        let box = box ?? PixelBox(self.size)
        precondition(
            box.x >= 0 && box.y >= 0 && box.width > 0 && box.height > 0 && size.isPositive
                && box.x + box.width <= self.size.width && box.y + box.height <= self.size.height,
            "resize: the box \(box) is not inside \(self.size)")
        region.crop(box, of: self.size)
        if pending != nil { _ = planes() }
        pending = Sampling(
            sourceSize: self.size, box: box, scaled: size, window: PixelBox(size), interpolation: interpolation, antialias: antialias)
        self.size = size
    }

    /// Cuts out `box`, which may reach over the edges: what is outside becomes `fill`.
    public func crop(_ box: PixelBox, fill: UInt8 = 0) {
        region.crop(box, of: size)
        let inside = box.x >= 0 && box.y >= 0 && box.x + box.width <= size.width && box.y + box.height <= size.height
        if inside, var sampling = pending, !sampling.mirrored {
            sampling.window.x += box.x
            sampling.window.y += box.y
            sampling.window.width = box.width
            sampling.window.height = box.height
            pending = sampling
            size = box.size
        } else if inside, pending == nil, source != nil {
            pending = Sampling(sourceSize: size, box: box)
            size = box.size
        } else {
            redraw(to: box.size) { from, to in
                to.red.update(repeating: fill, count: 3 * to.plane)
                let columns = max(0, box.x)..<max(0, box.x, min(size.width, box.x + box.width))
                for channel in 0..<3 {
                    for y in max(0, box.y)..<max(0, box.y, min(size.height, box.y + box.height)) where !columns.isEmpty {
                        let row = from.red + channel * from.plane + y * from.stride
                        let place = to.red + channel * to.plane + (y - box.y) * to.stride
                        (place + columns.lowerBound - box.x).update(from: row + columns.lowerBound, count: columns.count)
                    }
                }
            }
        }
    }

    /// Mirrors left and right.
    public func mirror() {
        (region.left, region.right) = (region.right, region.left)
        if pending != nil {
            pending?.mirrored.toggle()
        } else if source != nil {
            pending = Sampling(sourceSize: size, box: PixelBox(size))
            pending?.mirrored = true
        } else {
            let planes = self.planes()
            for channel in planes.channels { pixels_mirror(channel, planes.stride, planes.width, planes.height) }
        }
    }

    /// Turns by quarters of a circle, anticlockwise; exact.
    public func quarterTurns(_ turns: Int) {
        let turns = ((turns % 4) + 4) % 4
        if turns == 0 { return }
        let turned = turns == 2 ? size : ImageSize(height: size.width, width: size.height)
        redraw(to: turned) { from, to in
            for (source, destination) in zip(from.channels, to.channels) {
                let lastFrom = source + (from.size.height - 1) * from.stride
                let lastTo = destination + (to.size.height - 1) * to.stride
                switch turns {
                case 1: pixels_transpose(source, from.stride, from.width, from.height, lastTo, -to.stride)
                case 3: pixels_transpose(lastFrom, -from.stride, from.width, from.height, destination, to.stride)
                default:
                    for y in 0..<from.size.height {
                        (lastTo - y * to.stride).update(from: source + y * from.stride, count: from.size.width)
                    }
                    pixels_mirror(destination, to.stride, to.width, to.height)
                }
            }
        }
    }

    // MARK: Pixels

    /// The image's pixels, to be changed in place.
    func planes() -> Planes {
        if let source {
            source.pixels.withUnsafeBufferPointer { draw(pending, from: $0.baseAddress!, width: source.width) }
            self.source = nil
            pending = nil
        } else if let pending {
            resample(pending)
            self.pending = nil
        }
        return Planes(current, size)
    }

    /// Makes a new image out of the present one.
    func redraw(to newSize: ImageSize, _ body: (_ from: Planes, _ to: Planes) -> Void) {
        let from = planes()
        body(from, Planes(spare, newSize))
        swap(&current, &spare)
        size = newSize
    }

    /// Working memory for an augmentation; valid until the next call.
    func workspace(_ bytes: Int) -> UnsafeMutablePointer<UInt8> { work.reserve(bytes) }

    /// From interleaved pixels to planes.
    private func draw(_ sampling: Sampling?, from pixels: UnsafePointer<UInt8>, width: Int) {
        let sampling = sampling ?? Sampling(sourceSize: size, box: PixelBox(size))
        let box = sampling.box
        if sampling.copies {
            let to = Planes(current, size)
            let start = pixels + ((box.y + sampling.window.y) * width + box.x + sampling.window.x) * 3
            pixels_deinterleave(start, width * 3, to.width, to.height, to.red, to.stride, to.plane)
            if sampling.mirrored { for channel in to.channels { pixels_mirror(channel, to.stride, to.width, to.height) } }
            return
        }
        prepare(sampling)
        resample(pixels + (box.y * width + box.x) * 3, rowBytes: width * 3, channels: 3, into: Planes(current, size), channel: 0)
    }

    /// From planes to planes.
    private func resample(_ sampling: Sampling) {
        let box = sampling.box
        let from = Planes(current, sampling.sourceSize)
        prepare(sampling)
        let to = Planes(spare, size)
        for channel in 0..<3 {
            let start = from.red + channel * from.plane + box.y * from.stride + box.x
            resample(start, rowBytes: from.stride, channels: 1, into: to, channel: channel)
        }
        swap(&current, &spare)
    }

    private func prepare(_ sampling: Sampling) {
        let (box, window) = (sampling.box, sampling.window)
        horizontal.fill(
            count: box.width, scaled: sampling.scaled.width, window: window.x..<window.x + window.width,
            mirrored: sampling.mirrored, interpolation: sampling.interpolation, antialias: sampling.antialias)
        vertical.fill(
            count: box.height, scaled: sampling.scaled.height, window: window.y..<window.y + window.height,
            mirrored: false, interpolation: sampling.interpolation, antialias: sampling.antialias)
    }

    private func resample(_ start: UnsafePointer<UInt8>, rowBytes: Int, channels: Int, into to: Planes, channel: Int) {
        let (columns, rows) = (horizontal.used, vertical.used)
        horizontal.withTaps { across in
            vertical.withTaps { down in
                let scratch = work.reserve(pixels_resample_scratch(Int32(channels), Int32(columns.count), Int32(rows.count), &across))
                pixels_resample(
                    start + rows.lowerBound * rowBytes + columns.lowerBound * channels, rowBytes, Int32(channels),
                    Int32(columns.count), Int32(rows.count), &across, &down, scratch,
                    to.red + channel * to.plane, to.stride, to.plane)
            }
        }
    }
}

/// A crop that is resized, of which a window is wanted, perhaps mirrored: geometry that has been noted, not done.
private struct Sampling {
    /// The size of what `box` is cut from.
    let sourceSize: ImageSize
    let box: PixelBox
    /// The size that all of `box` becomes.
    let scaled: ImageSize
    /// The part of it that is the image.
    var window: PixelBox
    var mirrored = false
    let interpolation: Interpolation
    let antialias: Bool

    init(
        sourceSize: ImageSize, box: PixelBox, scaled: ImageSize, window: PixelBox, interpolation: Interpolation, antialias: Bool
    ) {
        self.sourceSize = sourceSize
        self.box = box
        self.scaled = scaled
        self.window = window
        self.interpolation = interpolation
        self.antialias = antialias
    }

    /// A crop without resizing.
    init(sourceSize: ImageSize, box: PixelBox) {
        self.init(
            sourceSize: sourceSize, box: box, scaled: box.size, window: PixelBox(box.size), interpolation: .bilinear, antialias: true)
    }

    /// Whether pixels stay as they are.
    var copies: Bool { scaled == box.size }
}
