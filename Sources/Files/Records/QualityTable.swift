/// `evaluation/quality.json`: what can be told of a run's checkpoints without labels, and how far it goes with accuracy.
public struct QualityTable: Codable, Sendable, Equatable {
    public struct Row: Codable, Sendable, Equatable {
        public var checkpoint: String
        public var epoch: Int
        /// By measure; absent where it cannot be computed.
        public var values: [String: Double]
        /// Of a linear classifier, where there are labels.
        public var accuracy: Double?
        public var lower: Double?
        public var upper: Double?

        public init(
            checkpoint: String, epoch: Int, values: [String: Double], accuracy: Double? = nil, lower: Double? = nil, upper: Double? = nil
        ) {
            self.checkpoint = checkpoint
            self.epoch = epoch
            self.values = values
            self.accuracy = accuracy
            self.lower = lower
            self.upper = upper
        }
    }

    /// In the order of columns.
    public var measures: [String]
    public var rows: [Row]
    /// Spearman's ρ between the measure, turned so that more is better, and accuracy over the checkpoints.
    public var rankCorrelations: [String: Double]
    /// The checkpoint that each measure would choose.
    public var choices: [String: String]
    public var images: Int
    public var views: Int

    public init(
        measures: [String], rows: [Row], rankCorrelations: [String: Double], choices: [String: String], images: Int, views: Int
    ) {
        self.measures = measures
        self.rows = rows
        self.rankCorrelations = rankCorrelations
        self.choices = choices
        self.images = images
        self.views = views
    }
}
