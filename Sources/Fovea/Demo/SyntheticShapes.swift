internal import Foundation
public import Views

/// A made-up data set for whoever has no images at hand: one shape on a textured ground, the shape being the class.
///
/// Colours, textures of shape and ground, position, size, rotation and brightness vary from image to image, so that no
/// pixel tells the class: what does is what an encoder has to find. Every image is a pure function of its index and the seed.
public struct SyntheticShapes: ImageDataset {
    public let count: Int
    public let side: Int
    private let seed: UInt64

    /// - Parameters:
    ///   - side: of the square images, in pixels.
    ///   - seed: other seeds, other images.
    public init(count: Int, side: Int = 32, seed: UInt64) {
        self.count = count
        self.side = side
        self.seed = seed
    }

    public var classNames: [String] { Shape.allCases.map(\.rawValue) }
    public func label(at index: Int) -> Int? { index % Shape.allCases.count }
    public func name(at index: Int) -> String {
        let digits = String(index)
        return "\(classNames[index % classNames.count])/\(String(repeating: "0", count: max(0, 5 - digits.count)))\(digits).png"
    }

    public func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage {
        var random = ViewKey(seed: seed, epoch: 0, index: index, stream: 0).random()
        let shape = Shape.allCases[index % Shape.allCases.count]
        return Scene(shape, &random).drawn(side: side, &random)
    }

    enum Shape: String, CaseIterable {
        case circle, cross, heart, ring, square, star, stripe, triangle

        /// Whether a point lies inside the shape of radius 1 around the origin.
        func contains(_ x: Double, _ y: Double) -> Bool {
            let radius = (x * x + y * y).squareRoot()
            let angle = atan2(y, x)
            switch self {
            case .circle: return radius < 0.85
            case .ring: return radius < 0.95 && radius > 0.55
            case .square: return max(abs(x), abs(y)) < 0.75
            case .triangle: return y > -0.55 && y < 1 - 1.732 * abs(x)
            case .cross: return (abs(x) < 0.3 && abs(y) < 0.95) || (abs(y) < 0.3 && abs(x) < 0.95)
            case .star: return radius < 0.62 + 0.36 * cos(5 * angle)
            case .stripe: return abs(y) < 0.28 && abs(x) < 1
            case .heart:
                let (u, v) = (x * 1.2, 0.2 - y * 1.2)
                let edge = u * u + v * v - 0.7
                return edge * edge * edge < u * u * v * v * v
            }
        }
    }

    /// What one image shows.
    struct Scene {
        let shape: Shape
        var centre: (Double, Double)
        var size: Double
        var angle: Double
        let front: Texture
        let back: Texture
        let noise: Double

        init(_ shape: Shape, _ random: inout ViewRandom) {
            self.shape = shape
            centre = (random.uniform() * 0.5 - 0.25, random.uniform() * 0.5 - 0.25)
            size = 0.5 + 0.35 * random.uniform()
            angle = (random.uniform() - 0.5) * 0.7
            back = Texture(brightness: 0.15 + 0.7 * random.uniform(), &random)
            // Far enough from the ground to be seen.
            let lift = (random.uniform() < 0.5 ? -1.0 : 1.0) * (0.3 + 0.25 * random.uniform())
            let wanted = back.brightness + lift
            front = Texture(brightness: wanted > 1 || wanted < 0 ? back.brightness - lift : wanted, &random)
            noise = 0.02 + 0.04 * random.uniform()
        }

        /// - Parameter random: of the noise.
        func drawn(side: Int, _ random: inout ViewRandom) -> PixelImage {
            var pixels: [UInt8] = []
            pixels.reserveCapacity(side * side * 3)
            for y in 0..<side {
                for x in 0..<side {
                    // Four samples per pixel smooth the outline.
                    var sum = (0.0, 0.0, 0.0)
                    for (dx, dy) in [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)] {
                        let colour = self.colour(
                            (Double(x) + dx) / Double(side) * 2 - 1, (Double(y) + dy) / Double(side) * 2 - 1)
                        sum = (sum.0 + colour.0, sum.1 + colour.1, sum.2 + colour.2)
                    }
                    for value in [sum.0, sum.1, sum.2] {
                        let noise = self.noise * (random.uniform() - 0.5)
                        pixels.append(UInt8(max(0, min(255, (value / 4 + noise) * 255))))
                    }
                }
            }
            return PixelImage(width: side, height: side, pixels: pixels)
        }

        func colour(_ x: Double, _ y: Double) -> (Double, Double, Double) {
            let (u, v) = ((x - centre.0) / size, (y - centre.1) / size)
            let inside = shape.contains(cos(angle) * u + sin(angle) * v, -sin(angle) * u + cos(angle) * v)
            return (inside ? front : back).colour(x, y)
        }
    }

    /// A colour that waves, in stripes, checks or blobs.
    struct Texture {
        let brightness: Double
        private let tint: (Double, Double, Double)
        private let strength: Double
        private let kind: Int
        private let wave: (Double, Double)
        private let phase: Double

        init(brightness: Double, _ random: inout ViewRandom) {
            self.brightness = brightness
            tint = (random.uniform() - 0.5, random.uniform() - 0.5, random.uniform() - 0.5)
            strength = 0.01 + 0.05 * random.uniform()
            kind = Int(random.uniform() * 4)
            let direction = random.uniform() * .pi
            let frequency = 2 + 6 * random.uniform()
            wave = (frequency * cos(direction), frequency * sin(direction))
            phase = random.uniform() * 2 * .pi
        }

        func colour(_ x: Double, _ y: Double) -> (Double, Double, Double) {
            let a = wave.0 * x + wave.1 * y + phase
            let b = wave.1 * x - wave.0 * y + phase
            let pattern =
                switch kind {
                case 0: 0.0
                case 1: sin(a)
                case 2: sin(a) * sin(b) > 0 ? 0.8 : -0.8
                default: sin(a + sin(b * 1.7)) * cos(b * 0.8)
                }
            let value = brightness + strength * pattern
            return (value + 0.45 * tint.0, value + 0.45 * tint.1, value + 0.45 * tint.2)
        }
    }
}
