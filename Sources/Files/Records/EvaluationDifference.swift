/// One row of `evaluation/differences.json`: how far an encoder is above a baseline on the same images.
public struct EvaluationDifference: Codable, Sendable, Equatable {
    public var encoder: String
    public var baseline: String
    /// `knn`, `linear`, …
    public var protocolName: String
    /// Of shares of one, as `EvaluationResult.metric`.
    public var metric: String
    /// The encoder's value minus the baseline's.
    public var value: Double
    /// Bounds of the paired 95 % interval.
    public var lower: Double
    public var upper: Double

    enum CodingKeys: String, CodingKey {
        case encoder, baseline, metric, value, lower, upper
        case protocolName = "protocol"
    }

    public init(
        encoder: String, baseline: String, protocolName: String, metric: String, value: Double, lower: Double, upper: Double
    ) {
        self.encoder = encoder
        self.baseline = baseline
        self.protocolName = protocolName
        self.metric = metric
        self.value = value
        self.lower = lower
        self.upper = upper
    }
}
