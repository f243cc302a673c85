internal import Files
public import Views

/// A method as the recipe reader and the trainer know it: its type behind functions.
public struct MethodEntry: Sendable {
    public let card: MethodCard
    /// The settings' type, for decoding.
    public let settings: any MethodSettings.Type
    /// Whether views alone do not show its task.
    public let hasDeviceTask: Bool
    private let makeViews: @Sendable (any MethodSettings, Int) throws -> any ViewMaker
    private let complete: @Sendable (ViewRecipe, any MethodSettings) throws -> any ViewMaker
    private let makeMethod: @Sendable (any MethodSettings, MethodContext) throws -> any SelfSupervisedMethod

    public init<Method: SelfSupervisedMethod>(_ type: Method.Type) {
        card = Method.card
        settings = Method.Settings.self
        hasDeviceTask = Method.self is any DeviceTask.Type
        makeViews = { try Method.views($0 as! Method.Settings, imageSize: $1) }
        complete = { try Method.completing($0, $1 as! Method.Settings) }
        makeMethod = { try Method($0 as! Method.Settings, $1) }
    }

    /// - Parameter replacing: a recipe's own views, which take the place of the method's.
    /// - Precondition: `settings` are of this method's type.
    /// - Throws: `SettingsError` where these are more or fewer than the method sees, or of sizes that it cannot see together.
    public func views(_ settings: any MethodSettings, imageSize: Int, replacing own: ViewRecipe? = nil) throws -> any ViewMaker {
        let usual = try makeViews(settings, imageSize)
        guard let own else { return usual }
        let made = try complete(own, settings)
        try require(made, likeThose: usual)
        return made
    }

    private func require(_ made: any ViewMaker, likeThose usual: any ViewMaker) throws(SettingsError) {
        let (given, wanted) = (made.outputs.filter { $0.imageSize != nil }, usual.outputs.filter { $0.imageSize != nil })
        let remedy = "change the recipe's `views`, or leave them out for the method's own"
        if let most = card.mostViews {
            guard wanted.count...most ~= given.count else {
                throw SettingsError("views: the recipe has \(given.count), and \(card.title) sees \(wanted.count) to \(most): \(remedy)")
            }
        } else {
            guard given.count == wanted.count else {
                throw SettingsError(
                    "views: the recipe has \(given.count), and with these settings \(card.title) sees \(wanted.count): \(remedy)")
            }
        }
        for (place, view) in given.enumerated() {
            // What the method itself has of one size it sees together.
            guard
                let first = (0..<place).first(where: {
                    wanted[min($0, wanted.count - 1)].shape == wanted[min(place, wanted.count - 1)].shape
                }),
                given[first].shape != view.shape
            else { continue }
            throw SettingsError(
                "views: '\(given[first].name)' and '\(view.name)' must be of one size for \(card.title), which takes the larger views first: "
                    + remedy)
        }
    }

    /// - Precondition: `settings` are of this method's type.
    public func make(_ settings: any MethodSettings, _ context: MethodContext) throws -> any SelfSupervisedMethod {
        try makeMethod(settings, context)
    }
}

/// The methods that a recipe can name. A program adds its own: `MethodRegistry.standard + [MethodEntry(Mine.self)]`.
public struct MethodRegistry: Sendable {
    public var entries: [MethodEntry]

    public init(_ entries: [MethodEntry]) { self.entries = entries }

    public static let standard = MethodRegistry([
        MethodEntry(SimCLR.self),
        MethodEntry(DCL.self),
        MethodEntry(MoCo.self),
        MethodEntry(MoCoV3.self),
        MethodEntry(NNCLR.self),
        MethodEntry(ReSSL.self),
        MethodEntry(SupCon.self),
        MethodEntry(InstanceDiscrimination.self),
        MethodEntry(PIRL.self),
        MethodEntry(CMC.self),
        MethodEntry(AMDIM.self),
        MethodEntry(CPC.self),
        MethodEntry(All4One.self),
        MethodEntry(Triplet.self),
        MethodEntry(SwAV.self),
        MethodEntry(DeepCluster.self),
        MethodEntry(DeepClusterV2.self),
        MethodEntry(LocalAggregation.self),
        MethodEntry(SMoG.self),
        MethodEntry(BYOL.self),
        MethodEntry(SimSiam.self),
        MethodEntry(DINO.self),
        MethodEntry(BoWNet.self),
        MethodEntry(OBoW.self),
        MethodEntry(BarlowTwins.self),
        MethodEntry(VICReg.self),
        MethodEntry(VICRegL.self),
        MethodEntry(VIbCReg.self),
        MethodEntry(WMSE.self),
        MethodEntry(TiCo.self),
        MethodEntry(LeJEPA.self),
        MethodEntry(MAE.self),
        MethodEntry(SimMIM.self),
        MethodEntry(MaskFeat.self),
        MethodEntry(IJEPA.self),
        MethodEntry(Data2Vec.self),
        MethodEntry(IBOT.self),
        MethodEntry(MSN.self),
        MethodEntry(RotNet.self),
        MethodEntry(Supervised.self),
        MethodEntry(MeanTeacher.self),
        MethodEntry(RelativePatch.self),
        MethodEntry(Jigsaw.self),
        MethodEntry(JigsawPlusPlus.self),
        MethodEntry(DamagedJigsaw.self),
        MethodEntry(Colorization.self),
        MethodEntry(SplitBrain.self),
        MethodEntry(Autoencoder.self),
        MethodEntry(VariationalAutoencoder.self),
        MethodEntry(ContextEncoder.self),
        MethodEntry(Exemplar.self),
        MethodEntry(BigBiGAN.self),
        MethodEntry(S4L.self),
        MethodEntry(PseudoLabel.self),
        MethodEntry(EntropyMinimization.self),
        MethodEntry(FrameOrderPrediction.self),
        MethodEntry(PlaybackRate.self),
        MethodEntry(TemporalTransformation.self),
        MethodEntry(MotionEstimation.self),
        MethodEntry(TemporalContrast.self),
        MethodEntry(DensePredictiveCoding.self),
        MethodEntry(ObjectConsistency.self),
        MethodEntry(MaskFeatVideo.self),
    ])

    public static func + (registry: MethodRegistry, more: [MethodEntry]) -> MethodRegistry {
        MethodRegistry(registry.entries + more)
    }

    public func entry(named name: String) throws(SettingsError) -> MethodEntry {
        if let entry = entries.first(where: { $0.card.name == name }) { return entry }
        let suggestion = Spelling.nearest(to: name, among: entries.map(\.card.name)).map { " (did you mean '\($0)'?)" } ?? ""
        throw SettingsError("no method is named '\(name)'\(suggestion); `fovea methods` lists them")
    }
}
