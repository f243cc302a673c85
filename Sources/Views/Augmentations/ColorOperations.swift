import CPixels

/// torchvision.transforms.v2.functional on uint8 tensors: `adjust_brightness`, `adjust_contrast`, `adjust_saturation`,
/// `adjust_hue`, `adjust_sharpness`, `rgb_to_grayscale`, `solarize`, `posterize`, `autocontrast`, `equalize`. Every one
/// truncates to 8 bits.
extension Canvas {
    /// - Parameter factor: At least 0; 1 changes nothing.
    func brightness(_ factor: Double) {
        let planes = self.planes()
        pixels_brightness(planes.red, 3 * planes.plane, Float(factor))
    }

    func contrast(_ factor: Double) {
        let planes = self.planes()
        let sum = pixels_grey_sum(planes.red, planes.plane, planes.stride, planes.width, planes.height)
        let mean = Double(sum) / Double(size.height * size.width)
        pixels_affine(planes.red, 3 * planes.plane, Float(factor), Float((1 - factor) * mean))
    }

    func saturation(_ factor: Double) {
        let planes = self.planes()
        pixels_saturation(planes.red, planes.plane, planes.plane, Float(factor))
    }

    /// - Parameter turns: −0.5 … 0.5 of a full circle.
    func hue(_ turns: Double) {
        let planes = self.planes()
        pixels_hue(planes.red, planes.plane, planes.plane, Float(turns))
    }

    func sharpness(_ factor: Double) {
        if size.shorter <= 2 { return }
        redraw(to: size) { from, to in
            for (source, destination) in zip(from.channels, to.channels) {
                pixels_sharpness(source, from.stride, from.width, from.height, Float(factor), destination)
            }
        }
    }

    func grayscale() {
        let planes = self.planes()
        pixels_grey(planes.red, planes.plane, planes.plane)
    }

    /// Inverts what is at least `threshold`; 0 inverts everything.
    func solarize(_ threshold: Int) {
        let planes = self.planes()
        pixels_solarize(planes.red, 3 * planes.plane, Int32(threshold))
    }

    /// Keeps the highest `bits` of each value.
    func posterize(_ bits: Int) {
        let planes = self.planes()
        pixels_mask(planes.red, 3 * planes.plane, UInt8(truncatingIfNeeded: 0xff << (8 - bits)))
    }

    /// Stretches each channel to 0 … 255.
    func autoContrast() {
        lookUp { bins in
            let used = bins.indices.filter { bins[$0] > 0 }
            guard let least = used.first, let most = used.last, least < most else { return nil }
            let unit = Float(most - least) * (1 / Float(255))
            return (0..<256).map { UInt8(min(max(Float($0 - least) / unit, 0), 255)) }
        }
    }

    /// Makes each channel's values equally frequent, as `ImageOps.equalize` does.
    func equalize() {
        lookUp { bins in
            let last = bins.last { $0 > 0 } ?? 0
            let step = (bins.reduce(0, +) - last) / 255
            if step == 0 { return nil }
            var sum = step / 2
            return bins.map { bin in
                defer { sum += bin }
                return UInt8(min(sum / step, 255))
            }
        }
    }

    /// Replaces each channel's values by a table made from their histogram.
    private func lookUp(_ table: (_ bins: [Int]) -> [UInt8]?) {
        let planes = self.planes()
        for channel in planes.channels {
            var bins = [UInt32](repeating: 0, count: 256)
            pixels_histogram(channel, planes.stride, planes.width, planes.height, &bins)
            if let table = table(bins.map(Int.init)) { pixels_lookup(channel, planes.plane, table) }
        }
    }
}
