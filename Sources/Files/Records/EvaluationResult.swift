/// One row of `evaluation/results.json`: one encoder, measured by one protocol.
public struct EvaluationResult: Codable, Sendable, Equatable {
    /// The method's name, or one of the baselines: `random encoder`, `raw pixels`, `supervised`.
    public var encoder: String
    /// `knn`, `linear`, …
    public var protocolName: String
    /// What the protocol was set to, such as `k=20`.
    public var setting: String?
    public var split: String?
    /// `top-1` and its like are shares of one, not percentages.
    public var metric: String
    public var value: Double
    /// Bounds of the 95 % interval, in the value's unit.
    public var lower: Double?
    public var upper: Double?
    public var trainImages: Int?
    public var testImages: Int?
    /// Initialisations or seeds that the value is a mean over.
    public var seeds: Int?
    /// The seed of a row that is one of several.
    public var seed: Int?
    public var note: String?
    /// Which images it was measured on, as they were named.
    public var data: String?

    enum CodingKeys: String, CodingKey {
        case encoder, setting, split, metric, value, lower, upper, trainImages, testImages, seeds, seed, note, data
        case protocolName = "protocol"
    }

    public init(
        encoder: String, protocolName: String, setting: String? = nil, split: String? = nil, metric: String = "top-1", value: Double,
        lower: Double? = nil, upper: Double? = nil, trainImages: Int? = nil, testImages: Int? = nil, seeds: Int? = nil,
        seed: Int? = nil, note: String? = nil
    ) {
        self.encoder = encoder
        self.protocolName = protocolName
        self.setting = setting
        self.split = split
        self.metric = metric
        self.value = value
        self.lower = lower
        self.upper = upper
        self.trainImages = trainImages
        self.testImages = testImages
        self.seeds = seeds
        self.seed = seed
        self.note = note
    }
}
