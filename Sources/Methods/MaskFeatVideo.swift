public import Backbones
public import Torch
public import Views

/// MaskFeat (Wei et al. 2022, arXiv:2112.09133), on clips, where the paper begins.
///
///     L = mean over hidden cubes of ‖ linear(encoder(clip with mask tokens)) − HOG(middle frame of the cube) ‖² / values
///
/// Cubes of space and time are hidden: rectangles of patches for some successive times. Deviations: a plain transformer of images, of
/// which two frames make a token (`CubeEncoder`), where the paper has MViT; of the two the second is the middle one.
public final class MaskFeatVideo: Module, SelfSupervisedMethod {
    public struct Settings: MethodSettings {
        /// Even: two make a cube.
        public var frames = 16
        /// Frames from one to the next.
        public var stride = 4
        public var maskRatio = 0.4
        public var bins = 9
        /// A cell's side in pixels, which divides a patch's.
        public var cellSize = 8

        public init() {}

        public func validate() throws(SettingsError) {
            try SettingsCheck.require(
                (2...64).contains(frames) && frames.isMultiple(of: 2), "method.frames must be even and 2 to 64, not \(frames)")
            try SettingsCheck.positive("stride", stride)
            try SettingsCheck.share("maskRatio", maskRatio)
            try SettingsCheck.within("bins", bins, 2...360)
            try SettingsCheck.positive("cellSize", cellSize)
        }
    }

    public static let card = MethodCard(
        name: "maskfeat_video", title: "MaskFeat on clips", family: .maskedModelling, paper: "Wei et al. 2022, arXiv:2112.09133",
        summary: "predicts histograms of oriented gradients of a clip's hidden cubes", leastBatch: 1, hasPositivePairs: false,
        needsPatches: true, needsClips: true, remedy: MethodCard.remedyOfGivenTargets)

    public static func views(_ settings: Settings, imageSize: Int) throws -> any ViewMaker {
        try clips(settings, .clip(ImageSize(imageSize)))
    }

    public static func completing(_ views: ViewRecipe, _ settings: Settings) throws -> any ViewMaker { try clips(settings, views.views[0]) }

    private static func clips(_ settings: Settings, _ view: View) throws -> ClipViews {
        try ClipViews(ClipWindow(frames: settings.frames, stride: settings.stride), view)
    }

    let cubes: CubeEncoder
    /// [outputWidth]
    let maskToken: Parameter
    let decoder: Linear
    private let settings: Settings
    /// A cell's side.
    private let cell: Int

    public init(_ settings: Settings, _ context: MethodContext) throws {
        let patches = try context.makePatchEncoder()
        cell = try HOG.cell(settings.cellSize, patchSize: patches.patchSize)
        cubes = CubeEncoder(patches, times: settings.frames / 2)
        maskToken = Parameter(.randn([patches.outputWidth]) * 0.02)
        let side = patches.patchSize / cell
        decoder = Linear(patches.outputWidth, side * side * 3 * settings.bins)
        self.settings = settings
    }

    public func loss(_ batch: Batch, _ step: Step) -> Losses {
        let pixels = batch.views[0]
        let ratios = Array(repeating: settings.maskRatio, count: pixels.size(0))
        let grid = cubes.patches.grid
        let mask = PatchMasks.blocks(
            ratios, grid, times: settings.frames / 2, least: max(1, 16 * grid.count / 196), on: pixels.device)
        let prediction = decoder(cubes(batch.views, mask, by: maskToken.value))
        return ["reconstruction": MaskFeat.reconstruction(prediction, withoutGradients { features(batch.views) }, mask)]
    }

    /// What is to be predicted of each cube: [n, times · patches, cells · 3 · bins].
    func features(_ views: [Tensor]) -> Tensor {
        let ofTimes = stride(from: 1, to: views.count, by: 2).map {
            HOG.ofPatches(views[$0], cell: cell, bins: settings.bins, patchSize: cubes.patches.patchSize)
        }
        return .concatenated(ofTimes, dimension: 1)
    }

    public var encoder: Encoder { cubes.patches.encoder }
}
