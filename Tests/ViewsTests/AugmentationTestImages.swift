import Foundation
@testable import Views

/// Images made from integer formulas, the same as in Tests/ReferenceValues/generate_augmentations.py.
enum TestImage {
    static func make(_ kind: String, _ width: Int, _ height: Int) -> PixelImage {
        var pixels = [UInt8](repeating: 0, count: width * height * 3)
        if kind == "noise" {
            for i in pixels.indices {
                var h = UInt32(truncatingIfNeeded: i) &* 2_654_435_761 &+ 97531
                h = (h ^ (h >> 15)) &* 2_246_822_519
                h = (h ^ (h >> 13)) &* 3_266_489_917
                pixels[i] = UInt8((h >> 16) & 255)
            }
        } else {
            for y in 0..<height {
                for x in 0..<width {
                    let inside = 4 * x > width && 2 * x < width && 3 * y > height && 5 * y < 4 * height
                    let colour = [
                        (wave(2 * x + y, 61) + wave(x, 37)) / 2, (wave(3 * y + x, 89) + wave(y + 50, 23)) / 2, wave(x - 2 * y + 4000, 47),
                    ]
                    for channel in 0..<3 {
                        var value = inside ? 255 - colour[channel] / 3 : colour[channel]
                        if kind == "flat" { value = 70 + value / 3 }
                        pixels[(y * width + x) * 3 + channel] = UInt8(value)
                    }
                }
            }
        }
        return PixelImage(width: width, height: height, pixels: pixels)
    }

    private static func wave(_ v: Int, _ period: Int) -> Int { abs(v % (2 * period) - period) * 255 / period }
}

extension Canvas {
    /// A canvas that holds `image`.
    convenience init(_ image: PixelImage, target: ImageSize? = nil) {
        self.init()
        load(image, target: target ?? ImageSize(height: image.height, width: image.width))
    }
}

extension AugmentationStep {
    /// The image after this augmentation.
    func applied(to image: PixelImage, target: ImageSize? = nil, random: ViewRandom = ViewRandom(seed: 1)) -> PixelImage {
        let canvas = Canvas(image, target: target)
        var random = random
        apply(to: canvas, random: &random)
        return canvas.image()
    }
}

/// Where two images of one size differ.
struct Difference: CustomStringConvertible {
    var largest = 0
    /// Share of values that differ by more than 1.
    var share = 0.0
    var description: String { "differs by up to \(largest), in \(share * 100) % of the values by more than 1" }

    init(_ a: [UInt8], _ b: [UInt8]) {
        precondition(a.count == b.count)
        var more = 0
        for (x, y) in zip(a, b) {
            let difference = abs(Int(x) - Int(y))
            largest = max(largest, difference)
            if difference > 1 { more += 1 }
        }
        share = Double(more) / Double(a.count)
    }

    init(_ a: PixelImage, _ b: PixelImage) {
        precondition(a.width == b.width && a.height == b.height)
        self.init(a.pixels, b.pixels)
    }
}
