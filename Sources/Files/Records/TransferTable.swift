/// `evaluation/transfer.json`: what encoders are worth on several data sets, in the form of SimCLR's table 8.
public struct TransferTable: Codable, Sendable, Equatable {
    public struct DataSet: Codable, Sendable, Equatable {
        public var name: String
        /// `top-1` or `mean-per-class`.
        public var metric: String
        public var classes: Int
        public var trainImages: Int
        public var testImages: Int
        /// `test`, or `held-out fifth` of a set without a test split.
        public var split: String

        public init(name: String, metric: String, classes: Int, trainImages: Int, testImages: Int, split: String) {
            self.name = name
            self.metric = metric
            self.classes = classes
            self.trainImages = trainImages
            self.testImages = testImages
            self.split = split
        }
    }

    public struct Row: Codable, Sendable, Equatable {
        /// `linear` or `fine-tuned`.
        public var block: String
        public var encoder: String
        /// One per data set; nil where nothing was measured.
        public var cells: [EvaluationResult?]

        public init(block: String, encoder: String, cells: [EvaluationResult?]) {
            self.block = block
            self.encoder = encoder
            self.cells = cells
        }
    }

    public var sets: [DataSet]
    public var rows: [Row]

    public init(sets: [DataSet], rows: [Row]) {
        self.sets = sets
        self.rows = rows
    }
}
