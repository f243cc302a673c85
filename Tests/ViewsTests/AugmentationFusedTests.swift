import Foundation
import Testing
@testable import Views

/// The canvas' passes against the same operations written out plainly, one after the other, over interleaved pixels.
@Suite struct AugmentationFusedTests {
    /// An operation at a time from the same image: never more than a grey level apart.
    @Test func everyPass() {
        for image in [TestImage.make("smooth", 70, 50), TestImage.make("noise", 40, 33)] {
            for key in 0..<12 {
                var random = ViewRandom(seed: UInt64(key))
                let jitter = ColorJitter(p: 1).draw(random: &random)!
                let sigma = random.uniform(in: 0.1...2)
                let passes: [(String, (Canvas) -> Void, (inout Plain) -> Void)] = [
                    ("brightness", { $0.brightness(jitter.brightness) }, { $0.brightness(jitter.brightness) }),
                    ("contrast", { $0.contrast(jitter.contrast) }, { $0.contrast(jitter.contrast) }),
                    ("saturation", { $0.saturation(jitter.saturation) }, { $0.saturation(jitter.saturation) }),
                    ("hue", { $0.hue(jitter.hue) }, { $0.hue(jitter.hue) }),
                    ("grey", { $0.grayscale() }, { $0.grey() }),
                    ("blur", { $0.blur(sigma: sigma, radius: 5) }, { $0.blur(sigma: sigma, radius: 5) }),
                    ("solarize", { $0.solarize(128) }, { $0.solarize(128) }),
                    ("mirror", { $0.mirror() }, { $0.mirror() }),
                    (
                        "resize", { $0.resize(PixelBox(x: 3, y: 2, width: 31, height: 26), to: 28, .bicubic, antialias: true) },
                        { $0 = $0.resized(PixelBox(x: 3, y: 2, width: 31, height: 26), to: 28) }
                    ),
                ]
                for (name, fast, slow) in passes {
                    let canvas = Canvas(image)
                    fast(canvas)
                    var plain = Plain(image)
                    slow(&plain)
                    let difference = Difference(canvas.image().pixels, plain.pixels)
                    #expect(difference.largest <= 1, "\(name), key \(key): \(difference)")
                }
            }
        }
    }

    /// A whole chain, with everything switched on by chance as in training: the canvas' result is to the byte that of one
    /// operation after the other, each from finished pixels, and each of these is the plain one within a grey level.
    /// (Two whole chains, compared at their ends only, drift apart by more: contrast multiplies what rounding left.)
    @Test(arguments: [96, 224]) func wholeChain(side: Int) throws {
        let image = TestImage.make("smooth", 250, 190)
        let (crop, flip, jitter, grey) = (RandomResizedCrop(), HorizontalFlip(), ColorJitter(), Grayscale())
        let (blur, solarize) = (GaussianBlur(), Solarize())
        let steps: [any AugmentationStep] = [crop, flip, jitter, grey, blur, solarize]
        for index in 0..<25 {
            let key = ViewKey(seed: 3, epoch: 0, index: index, stream: 0)
            let canvas = Canvas(image, target: ImageSize(side))
            canvas.apply(steps.map(Augmentation.init), key: key)

            var present = image
            func step(_ name: String, _ fast: (Canvas) -> Void, _ slow: (inout Plain) -> Void) {
                let canvas = Canvas(present)
                fast(canvas)
                var plain = Plain(present)
                slow(&plain)
                present = canvas.image()
                let difference = Difference(present.pixels, plain.pixels)
                // Resampling rounds twice, so that single values (0.01 %) are two apart, as torchvision's and Pillow's are.
                let largest = name == "crop" ? 2 : 1
                #expect(difference.largest <= largest && difference.share < 0.0005, "\(name), index \(index): \(difference)")
            }
            var random = key.random(step: 0)
            let box = crop.box(in: ImageSize(height: 190, width: 250), random: &random)
            step("crop", { $0.resize(box, to: ImageSize(side), .bicubic, antialias: true) }, { $0 = $0.resized(box, to: ImageSize(side)) })
            random = key.random(step: 1)
            if random.bernoulli(flip.p) { step("flip", { $0.mirror() }, { $0.mirror() }) }
            random = key.random(step: 2)
            if let draw = jitter.draw(random: &random) {
                for adjustment in draw.order {
                    switch adjustment {
                    case .brightness: step("brightness", { $0.brightness(draw.brightness) }, { $0.brightness(draw.brightness) })
                    case .contrast: step("contrast", { $0.contrast(draw.contrast) }, { $0.contrast(draw.contrast) })
                    case .saturation: step("saturation", { $0.saturation(draw.saturation) }, { $0.saturation(draw.saturation) })
                    case .hue: step("hue", { $0.hue(draw.hue) }, { $0.hue(draw.hue) })
                    }
                }
            }
            random = key.random(step: 3)
            if random.bernoulli(grey.p) { step("grey", { $0.grayscale() }, { $0.grey() }) }
            random = key.random(step: 4)
            let blurs = random.bernoulli(blur.p)
            let sigma = random.uniform(in: blur.sigma)
            if blurs { step("blur", { $0.blur(sigma: sigma, radius: side / 10 / 2) }, { $0.blur(sigma: sigma, radius: side / 10 / 2) }) }
            random = key.random(step: 5)
            if random.bernoulli(solarize.p) { step("solarize", { $0.solarize(128) }, { $0.solarize(128) }) }
            #expect(canvas.image() == present, "index \(index)")
        }
    }
}

/// The operations as their definitions have them, slowly, in double precision.
private struct Plain {
    var width: Int
    var height: Int
    var pixels: [UInt8]

    init(_ image: PixelImage) { (width, height, pixels) = (image.width, image.height, image.pixels) }

    private static func truncated(_ value: Double) -> UInt8 { UInt8(min(max(value, 0), 255)) }
    private static func rounded(_ value: Double) -> UInt8 { UInt8(min(max(value, 0), 255).rounded()) }

    private func grey(_ i: Int) -> Double {
        (0.2989 * Double(pixels[i]) + 0.587 * Double(pixels[i + 1]) + 0.114 * Double(pixels[i + 2])).rounded(.down)
    }

    private mutating func map(_ body: (Double) -> UInt8) { pixels = pixels.map { body(Double($0)) } }

    mutating func brightness(_ f: Double) { map { Self.truncated(f * $0) } }
    mutating func solarize(_ threshold: Double) { map { UInt8($0 >= threshold ? 255 - $0 : $0) } }

    mutating func contrast(_ f: Double) {
        let mean = stride(from: 0, to: pixels.count, by: 3).reduce(0) { $0 + grey($1) } / Double(width * height)
        map { Self.truncated(f * $0 + (1 - f) * mean) }
    }

    mutating func saturation(_ f: Double) {
        for i in stride(from: 0, to: pixels.count, by: 3) {
            let grey = grey(i)
            for j in i..<i + 3 { pixels[j] = Self.truncated(f * Double(pixels[j]) + (1 - f) * grey) }
        }
    }

    mutating func grey() {
        for i in stride(from: 0, to: pixels.count, by: 3) {
            let grey = UInt8(grey(i))
            for j in i..<i + 3 { pixels[j] = grey }
        }
    }

    /// Through hue, saturation and value with their six sectors.
    mutating func hue(_ turns: Double) {
        for i in stride(from: 0, to: pixels.count, by: 3) {
            let (r, g, b) = (Double(pixels[i]) / 255, Double(pixels[i + 1]) / 255, Double(pixels[i + 2]) / 255)
            let (most, least) = (max(r, g, b), min(r, g, b))
            let range = most - least
            var h = 0.0
            if range > 0 {
                if most == r { h = (g - b) / range } else if most == g { h = 2 + (b - r) / range } else { h = 4 + (r - g) / range }
            }
            h = h / 6 + turns
            h -= h.rounded(.down)
            let s = most > 0 ? range / most : 0
            let sector = Int(h * 6) % 6
            let f = h * 6 - (h * 6).rounded(.down)
            let (p, q, t) = (most * (1 - s), most * (1 - s * f), most * (1 - s * (1 - f)))
            let rgb = [[most, t, p], [q, most, p], [p, most, t], [p, q, most], [t, p, most], [most, p, q]][sector]
            for j in 0..<3 { pixels[i + j] = UInt8(min(max(rgb[j], 0), 1) * 255.999) }
        }
    }

    mutating func mirror() {
        for y in 0..<height {
            for x in 0..<width / 2 {
                for c in 0..<3 { pixels.swapAt((y * width + x) * 3 + c, (y * width + width - 1 - x) * 3 + c) }
            }
        }
    }

    mutating func blur(sigma: Double, radius: Int) {
        func reflected(_ i: Int, _ n: Int) -> Int { i < 0 ? -i : i >= n ? 2 * n - 2 - i : i }
        let kernel = (-radius...radius).map { exp(-0.5 * Double($0 * $0) / (sigma * sigma)) }
        let sum = kernel.reduce(0, +)
        var across = pixels.map(Double.init)
        for y in 0..<height {
            for x in 0..<width {
                for c in 0..<3 {
                    across[(y * width + x) * 3 + c] = (-radius...radius).reduce(0) {
                        $0 + kernel[$1 + radius] / sum * Double(pixels[(y * width + reflected(x + $1, width)) * 3 + c])
                    }
                }
            }
        }
        for y in 0..<height {
            for x in 0..<width {
                for c in 0..<3 {
                    pixels[(y * width + x) * 3 + c] = Self.rounded(
                        (-radius...radius).reduce(0) {
                            $0 + kernel[$1 + radius] / sum * across[(reflected(y + $1, height) * width + x) * 3 + c]
                        })
                }
            }
        }
    }

    /// Pillow's antialiased bicubic: across, to 8 bits, down, to 8 bits.
    func resized(_ box: PixelBox, to size: ImageSize) -> Plain {
        func weights(_ count: Int, _ outputs: Int) -> [[(Int, Double)]] {
            let scale = Double(count) / Double(outputs)
            let stretch = max(scale, 1)
            return (0..<outputs).map { i in
                let centre = (Double(i) + 0.5) * scale
                let taps = max(0, Int(centre - 2 * stretch + 0.5))..<min(count, Int(centre + 2 * stretch + 0.5))
                let values = taps.map { k in
                    let x = abs((Double(k) - centre + 0.5) / stretch)
                    return x < 1 ? 1.5 * x * x * x - 2.5 * x * x + 1 : x < 2 ? -0.5 * (x * x * x - 5 * x * x + 8 * x - 4) : 0
                }
                let sum = values.reduce(0, +)
                return zip(taps, values).map { ($0, $1 / sum) }
            }
        }
        let across = weights(box.width, size.width)
        let down = weights(box.height, size.height)
        var middle = [UInt8](repeating: 0, count: box.height * size.width * 3)
        for y in 0..<box.height {
            for x in 0..<size.width {
                for c in 0..<3 {
                    middle[(y * size.width + x) * 3 + c] = Self.rounded(
                        across[x].reduce(0) {
                            $0 + $1.1 * Double(pixels[((box.y + y) * width + box.x + $1.0) * 3 + c])
                        })
                }
            }
        }
        var result = self
        (result.width, result.height) = (size.width, size.height)
        result.pixels = [UInt8](repeating: 0, count: size.height * size.width * 3)
        for y in 0..<size.height {
            for i in 0..<size.width * 3 {
                result.pixels[y * size.width * 3 + i] = Self.rounded(
                    down[y].reduce(0) { $0 + $1.1 * Double(middle[$1.0 * size.width * 3 + i]) })
            }
        }
        return result
    }
}
