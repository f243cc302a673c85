internal import Foundation
public import Views

/// Made-up clips for whoever has none at hand: the shapes of `SyntheticShapes`, in motion; the shape is the class.
///
/// A shape flies over a ground that stands still, in any direction at a speed of its own, bounces off the edges, turns, falls a
/// little faster from frame to frame, and comes nearer: it grows by the same share each frame, which is what tells the arrow of time.
/// Every frame has fresh noise. Each is a pure function of clip, frame and seed.
public struct SyntheticClips: ImageDataset {
    public let count: Int
    /// Of each clip.
    public let frames: Int
    public let side: Int
    private let seed: UInt64

    /// - Parameters:
    ///   - side: of the square frames, in pixels.
    ///   - seed: other seeds, other clips.
    public init(count: Int, frames: Int = 32, side: Int = 32, seed: UInt64) {
        self.count = count
        self.frames = frames
        self.side = side
        self.seed = seed
    }

    public var classNames: [String] { SyntheticShapes.Shape.allCases.map(\.rawValue) }
    public func label(at index: Int) -> Int? { index % classNames.count }
    public func name(at index: Int) -> String { "\(classNames[index % classNames.count])/clip\(Self.digits(index, 5))" }
    public static func name(ofFrame frame: Int) -> String { "\(digits(frame, 4)).png" }

    private static func digits(_ number: Int, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }

    /// The middle frame.
    public func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage { frame(frames / 2, of: index) }

    public func clip(at index: Int) throws(ImageError) -> Clip? {
        let clips = self
        return Clip(count: frames, name: Self.name(ofFrame:)) { frame, _ throws(ImageError) in clips.frame(frame, of: index) }
    }

    public func frame(_ frame: Int, of index: Int) -> PixelImage {
        var random = ViewKey(seed: seed, epoch: 0, index: index, stream: 0).random()
        let shape = SyntheticShapes.Shape.allCases[index % SyntheticShapes.Shape.allCases.count]
        var scene = SyntheticShapes.Scene(shape, &random)
        let motion = Motion(&random)
        motion.move(&scene, to: Double(frame), of: Double(frames))
        var noise = ViewKey(seed: seed, epoch: 0, index: index, stream: 1).random(step: frame)
        return scene.drawn(side: side, &noise)
    }

    /// In halves of the image and frames.
    private struct Motion {
        let velocity: (Double, Double)
        let fall: Double
        let turn: Double

        init(_ random: inout ViewRandom) {
            let direction = random.uniform() * 2 * .pi
            let speed = 0.03 + 0.05 * random.uniform()
            velocity = (speed * cos(direction), speed * sin(direction))
            fall = 0.001 + 0.002 * random.uniform()
            turn = 0.2 * (random.uniform() - 0.5)
        }

        func move(_ scene: inout SyntheticShapes.Scene, to time: Double, of length: Double) {
            let (x, y) = scene.centre
            scene.centre = (
                Self.bounced(x + velocity.0 * time), Self.bounced(y + velocity.1 * time + 0.5 * fall * time * time)
            )
            scene.angle += turn * time
            // To twice the size, around the one that the scene was drawn with.
            scene.size *= 0.6 * pow(2, time / length)
        }

        /// Back and forth between −0.6 and 0.6.
        private static func bounced(_ place: Double) -> Double {
            let way = (place + 0.6).truncatingRemainder(dividingBy: 2.4)
            let forward = way < 0 ? way + 2.4 : way
            return forward < 1.2 ? forward - 0.6 : 1.8 - forward
        }
    }
}

extension SyntheticClips {
    /// Writes clips to `folder`/train and `folder`/test, a folder of numbered PNG frames for each.
    /// - Parameters:
    ///   - train: how many; `test` likewise, of another seed.
    /// - Throws: `FileError`, also where `folder` is there already.
    public static func write(
        to folder: String, train: Int, test: Int, frames: Int = 32, side: Int = 32, seed: UInt64 = 0
    ) throws {
        guard !FileManager.default.fileExists(atPath: folder) else {
            throw FileError(path: folder, description: "\(folder) is there already: choose another --out, or move it away")
        }
        for (part, count, seed) in [("train", train, seed), ("test", test, seed &+ 1)] {
            let clips = SyntheticClips(count: count, frames: frames, side: side, seed: seed)
            for index in 0..<count {
                for frame in 0..<frames {
                    let bytes = ImageEncoder.png(clips.frame(frame, of: index))
                    let path = "\(folder)/\(part)/\(clips.name(at: index))/\(name(ofFrame: frame))"
                    try AtomicFile.write(bytes, to: path, synced: false)
                }
            }
        }
    }
}
