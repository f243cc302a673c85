/// `evaluation/robustness.json`: accuracy under each corruption and severity.
public struct RobustnessTable: Codable, Sendable, Equatable {
    public struct Row: Codable, Sendable, Equatable {
        public var encoder: String
        /// `linear` or `knn`.
        public var classifier: String
        /// Such as `gaussian-noise`.
        public var corruption: String
        /// `noise`, `blur`, `weather`, `digital` or `extra`.
        public var family: String
        /// False where the corruption is not the published one.
        public var isComparable: Bool
        /// For each of the table's severities.
        public var accuracies: [Double]

        public init(encoder: String, classifier: String, corruption: String, family: String, isComparable: Bool, accuracies: [Double]) {
            self.encoder = encoder
            self.classifier = classifier
            self.corruption = corruption
            self.family = family
            self.isComparable = isComparable
            self.accuracies = accuracies
        }
    }

    /// Accuracy on the same images without corruption.
    public struct Clean: Codable, Sendable, Equatable {
        public var encoder: String
        public var classifier: String
        public var accuracy: Double

        public init(encoder: String, classifier: String, accuracy: Double) {
            self.encoder = encoder
            self.classifier = classifier
            self.accuracy = accuracy
        }
    }

    /// Whose constants: `ImageNet-C`, `Tiny ImageNet-C` or `CIFAR-10-C`.
    public var constants: String
    public var severities: [Int]
    public var clean: [Clean]
    public var rows: [Row]
    public var testImages: Int
    /// Which images it was measured on, as they were named.
    public var data: String?

    public init(constants: String, severities: [Int], clean: [Clean], rows: [Row], testImages: Int, data: String? = nil) {
        self.constants = constants
        self.severities = severities
        self.clean = clean
        self.rows = rows
        self.testImages = testImages
        self.data = data
    }
}
