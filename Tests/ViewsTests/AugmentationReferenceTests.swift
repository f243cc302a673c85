import Foundation
import Testing
@testable import Views

/// Every operation at fixed parameters against torchvision's (Tests/ReferenceValues/generate_augmentations.py).
@Suite struct AugmentationReferenceTests {
    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        struct Image: Decodable, Sendable { let kind: String, width: Int, height: Int }
        struct Parameters: Decodable, Sendable {
            var box: [Int]?, size: [Int]?, interpolation: Interpolation?, antialias: Bool?
            var shorter: Int?, crop: Int?, factor: Double?, turns: Double?, kernelSize: Int?, sigma: Double?
            var threshold: Int?, bits: Int?, x: Int?, y: Int?, name: String?, magnitude: Double?
        }
        let op: String, image: Image, parameters: Parameters, width: Int, height: Int, offset: Int
        var testDescription: String { "\(op) of \(image.kind) \(image.width)×\(image.height) at \(offset)" }
    }

    struct File: Decodable, Sendable {
        struct Scale: Decodable, Sendable { let signed: Bool, values: [Double] }
        struct Crop: Decodable, Sendable { let width: Int, height: Int, scale: [Double], quantiles: [String: [Double]] }
        struct Entry: Decodable, Sendable {
            let name: String, p: Double, bin: Int
            init(from decoder: any Decoder) throws {
                var container = try decoder.unkeyedContainer()
                name = try container.decode(String.self)
                p = try container.decode(Double.self)
                bin = try container.decode(Int.self)
            }
        }
        let cases: [Case], magnitudes: [String: [String: Scale]], policies: [String: [[Entry]]], crops: [Crop]
    }

    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("ReferenceValues/augmentations")
    static let file = try! JSONDecoder().decode(File.self, from: Data(contentsOf: folder.appendingPathComponent("cases.json")))
    static let outputs = try! [UInt8](Data(contentsOf: folder.appendingPathComponent("outputs.bin")))

    static func expected(_ one: Case) -> PixelImage {
        let count = one.width * one.height * 3
        return PixelImage(width: one.width, height: one.height, pixels: Array(outputs[one.offset..<one.offset + count]))
    }

    static func box(_ one: Case) -> PixelBox {
        let box = one.parameters.box!
        return PixelBox(x: box[0], y: box[1], width: box[2], height: box[3])
    }

    static func result(_ one: Case) throws -> PixelImage {
        let canvas = Canvas(TestImage.make(one.image.kind, one.image.width, one.image.height))
        let p = one.parameters
        var random = ViewRandom(seed: 0)
        switch one.op {
        case "resizedCrop":
            canvas.resize(box(one), to: ImageSize(height: one.height, width: one.width), p.interpolation!, antialias: p.antialias!)
        case "evaluation":
            Resize(shorter: p.shorter!).apply(to: canvas, random: &random)
            CenterCrop(size: ImageSize(p.crop!)).apply(to: canvas, random: &random)
        case "centerCrop": CenterCrop(size: ImageSize(height: p.size![0], width: p.size![1])).apply(to: canvas, random: &random)
        case "paddedCrop": canvas.crop(PixelBox(x: p.x!, y: p.y!, width: one.width, height: one.height))
        case "brightness": canvas.brightness(p.factor!)
        case "contrast": canvas.contrast(p.factor!)
        case "saturation": canvas.saturation(p.factor!)
        case "sharpness": canvas.sharpness(p.factor!)
        case "hue": canvas.hue(p.turns!)
        case "grayscale": Grayscale(p: 1).apply(to: canvas, random: &random)
        case "blur": GaussianBlur(p: 1, sigma: p.sigma!...p.sigma!, kernelSize: p.kernelSize).apply(to: canvas, random: &random)
        case "solarize": Solarize(p: 1, threshold: p.threshold!).apply(to: canvas, random: &random)
        case "posterize": Posterize(bits: p.bits!, p: 1).apply(to: canvas, random: &random)
        case "invert": Solarize(p: 1, threshold: 0).apply(to: canvas, random: &random)
        case "autoContrast": canvas.autoContrast()
        case "equalize": canvas.equalize()
        case "flip": HorizontalFlip(p: 1).apply(to: canvas, random: &random)
        case "quarterTurn": QuarterTurn(Int(p.turns!)).apply(to: canvas, random: &random)
        case "sobel": Sobel(p: 1).apply(to: canvas, random: &random)
        case "policy": try #require(PolicyOperation(rawValue: p.name!)).apply(to: canvas, magnitude: p.magnitude!, fill: 0)
        default: Issue.record("no such operation: \(one.op)")
        }
        return canvas.image()
    }

    @Test(arguments: file.cases) func equalsTorchvision(_ one: Case) throws {
        let result = try Self.result(one)
        try #require(result.width == one.width && result.height == one.height)
        let difference = Difference(result, Self.expected(one))
        switch one.op {
        // torchvision's 8-bit resampling and Pillow's differ by up to 2 in single values: both round twice.
        case "resizedCrop", "evaluation": #expect(difference.largest <= 2 && difference.share < 0.001, "\(difference)")
        // Nearest neighbours at exactly half a pixel fall to either side.
        case "policy" where ["shearX", "shearY", "rotate"].contains(one.parameters.name): #expect(difference.share < 0.005, "\(difference)")
        default: #expect(difference.largest <= 1, "\(difference)")
        }
    }

    /// The comparison would notice the usual mistakes.
    @Test func comparisonTells() throws {
        func noticed(_ op: String, _ change: (Canvas, Case) -> Void) throws {
            let one = try #require(Self.file.cases.first { $0.op == op })
            let canvas = Canvas(TestImage.make(one.image.kind, one.image.width, one.image.height))
            change(canvas, one)
            #expect(Difference(canvas.image(), Self.expected(one)).largest > 3, "\(op) would not be noticed")
        }
        try noticed("resizedCrop") { $0.resize(Self.box($1), to: ImageSize(height: $1.height, width: $1.width), .bicubic, antialias: true) }
        try noticed("resizedCrop") {
            $0.resize(Self.box($1), to: ImageSize(height: $1.height, width: $1.width), .bilinear, antialias: false)
        }
        try noticed("hue") { $0.hue(-$1.parameters.turns!) }
        try noticed("contrast") { $0.saturation($1.parameters.factor!) }
        try noticed("blur") { $0.blur(sigma: $1.parameters.sigma! * 1.5, radius: 8) }
        try noticed("quarterTurn") { canvas, _ in
            canvas.quarterTurns(3); canvas.quarterTurns(2); canvas.mirror()
        }
        try noticed("solarize") { $0.solarize($1.parameters.threshold! + 20) }
    }

    @Test func policyMagnitudes() throws {
        for (bins, table) in Self.file.magnitudes {
            for (name, scale) in table {
                let operation = try #require(PolicyOperation(rawValue: name))
                #expect(operation.isSigned == scale.signed, "\(name)")
                for (bin, value) in scale.values.enumerated() {
                    let ours = operation.magnitude(bin: bin, of: Int(bins)!, size: ImageSize(height: 36, width: 48))
                    #expect(abs(ours - value) < 1e-4, "\(name) \(bin) of \(bins)")
                }
            }
        }
    }

    @Test func policies() throws {
        for policy in AutoAugment.Policy.allCases {
            let expected = try #require(Self.file.policies[policy.rawValue])
            #expect(policy.pairs.count == expected.count)
            for (ours, theirs) in zip(policy.pairs, expected) {
                for (entry, other) in zip([ours.0, ours.1], theirs) {
                    #expect(entry.operation.rawValue == other.name && entry.p == other.p && entry.bin == other.bin)
                }
            }
        }
    }

    /// 20 000 crops of ours have the quantiles of 20 000 of torchvision's.
    @Test func cropDistribution() {
        for crop in Self.file.crops {
            let step = RandomResizedCrop(scale: crop.scale[0]...crop.scale[1])
            var random = ViewRandom(seed: 5)
            var values: [String: [Double]] = [:]
            for _ in 0..<20000 {
                let box = step.box(in: ImageSize(height: crop.height, width: crop.width), random: &random)
                let (w, h) = (Double(box.width), Double(box.height))
                values["area", default: []].append(w * h / Double(crop.width * crop.height))
                values["ratio", default: []].append(log(w / h))
                values["centreX", default: []].append((Double(box.x) + w / 2) / Double(crop.width))
                values["centreY", default: []].append((Double(box.y) + h / 2) / Double(crop.height))
            }
            for (name, quantiles) in crop.quantiles {
                let ours = values[name]!.sorted()
                let spread = quantiles.last! - quantiles.first!
                for (i, quantile) in quantiles.enumerated() {
                    let own = ours[(i + 1) * 1000]
                    // Sizes are whole pixels, so that quantiles jump by up to a pixel; otherwise 3 % of the spread.
                    let tolerance = max(0.03 * spread, 1.0 / Double(min(crop.width, crop.height)))
                    #expect(
                        abs(own - quantile) <= tolerance,
                        "\(name) at \(5 * (i + 1)) % of \(crop.width)×\(crop.height): \(own), not \(quantile)")
                }
            }
        }
    }
}
