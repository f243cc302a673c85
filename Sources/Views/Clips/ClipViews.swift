/// Frames of a clip, a view for each, and what is to be told of them.
///
/// A clip's frames are cut, mirrored and coloured alike, so that what differs between them is what moved. What would give an answer
/// away beside that is taken from each frame by itself: its place, by `jitter`, and its colours, by `channelSplit`.
///
/// Outputs: `frame0`, `frame1`, …; the task's labels, a number each; and perhaps `motion`.
public struct ClipViews: ClipViewMaker {
    public static let motion = "motion"

    public let outputs: [OutputSpec]
    public let task: any ClipTask
    /// What becomes of each frame.
    public let view: View
    /// Pixels by which each frame is moved at most, in both directions.
    public let jitter: Int
    /// Probability that a frame shows one of its colour channels only, in all three (Lee et al. 2017, section 4.1).
    public let channelSplit: Double
    /// What is told of how the first frame's blocks move to the second.
    public let motion: BlockMotion?
    /// The view, so large that it can be moved in.
    private let whole: View

    public init(
        _ task: any ClipTask, _ view: View, jitter: Int = 0, channelSplit: Double = 0, motion: BlockMotion? = nil
    ) throws(AugmentationError) {
        let check = Check(augmentation: "clip")
        try task.validate()
        try check.holds(jitter >= 0, "jitter is \(jitter), but cannot be negative")
        try check.probability(channelSplit, "channelSplit")
        try motion?.validate(view.size)
        var whole = view
        whole.size.height += 2 * jitter
        whole.size.width += 2 * jitter
        try whole.validate()
        self.task = task
        self.view = view
        self.jitter = jitter
        self.channelSplit = channelSplit
        self.motion = motion
        self.whole = whole
        var outputs: [OutputSpec] = (0..<task.length).map { OutputSpec.image("frame\($0)", view.size) }
        outputs += task.labels.map { OutputSpec(name: $0, element: .int64, shape: []) }
        if let motion { outputs.append(OutputSpec(name: Self.motion, element: .int64, shape: [motion.grid, motion.grid])) }
        self.outputs = outputs
    }

    public var decodeTarget: Int? { whole.decodeTarget }
    public var leastFrames: Int { task.leastFrames }
    public func frames(of count: Int, key: SampleKey) -> [Int] { plan(count, key).frames }

    private func plan(_ count: Int, _ key: SampleKey) -> ClipPlan {
        var random = key.view(stream: -1).random()
        return task.plan(count, &random)
    }

    public func make(_ frames: [PixelImage], of count: Int, key: SampleKey, into outputs: OutputBuffers, scratch: inout Scratch) {
        let (canvas, groups) = (scratch.canvas, task.groups)
        for (output, frame) in frames.enumerated() {
            canvas.load(frame, target: whole.size)
            canvas.apply(whole.augmentations, key: key.view(stream: groups[output]))
            var random = key.view(stream: -2).random(step: output)
            let x = random.integer(below: 2 * jitter + 1)
            let y = random.integer(below: 2 * jitter + 1)
            canvas.write(
                PixelBox(x: x, y: y, width: view.size.width, height: view.size.height), moves: nil, to: outputs.pixels(output))
            if random.bernoulli(channelSplit) { split(outputs.pixels(output), channel: random.integer(below: 3)) }
        }
        let labels = plan(count, key).labels
        for (place, value) in labels.enumerated() { outputs.integers(frames.count + place)[0] = Int64(value) }
        motion?.write(
            from: outputs.pixels(0), to: outputs.pixels(1), view.size, into: outputs.integers(frames.count + labels.count))
    }

    private func split(_ pixels: UnsafeMutablePointer<UInt8>, channel: Int) {
        for place in 0..<view.size.height * view.size.width {
            let value = pixels[3 * place + channel]
            for other in 0..<3 { pixels[3 * place + other] = value }
        }
    }

    public func captions(of outputs: OutputBuffers) -> [String] {
        let told = task.labels.enumerated().map { place, name in
            "\(name): \(task.meaning(of: name, Int(outputs.integers(task.length + place)[0])))"
        }
        guard let motion else { return told }
        let directions = outputs.integers(task.length + told.count).map { motion.name(of: Int($0)) }
        return told
            + stride(from: 0, to: directions.count, by: motion.grid).map {
                "motion: " + directions[$0..<$0 + motion.grid].joined(separator: " ")
            }
    }
}

extension View {
    /// A clip's frames: a crop of at least half the area, mirrored half of the time, the same for all.
    public static func clip(_ size: ImageSize) -> View { View("frame", size: size, [RandomResizedCrop(scale: 0.5...1), HorizontalFlip()]) }

    /// CVRL's frames (Qian et al. 2021, section 3.2): the crop, flip and colours of SimCLR, the same for all of a window.
    public static func contrastedClip(_ size: ImageSize, strength s: Double) -> View {
        .crop("frame", size, scale: 0.3...1, jitter: (0.8 * s, 0.8 * s, 0.8 * s, 0.2 * s), blur: size.shorter > 64 ? 0.5 : 0)
    }
}
