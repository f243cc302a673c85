/// `evaluation/mistakes.json`: what a classifier takes for what. Image paths are relative to `evaluation/`.
public struct MistakeSheet: Codable, Sendable, Equatable {
    /// Such as `linear probe`.
    public var classifier: String
    public var classes: [String]
    /// [true class][predicted class] counts.
    public var confusion: [[Int]]
    /// Wrongly classified test images, the most confident first.
    public var worst: [Mistake]

    public init(classifier: String, classes: [String], confusion: [[Int]], worst: [Mistake]) {
        self.classifier = classifier
        self.classes = classes
        self.confusion = confusion
        self.worst = worst
    }

    public struct Mistake: Codable, Sendable, Equatable {
        public var image: String
        /// The image with what spoke for the predicted class laid over it; nil where the network has no such layer.
        public var saliency: String?
        public var label: String
        public var predicted: String
        /// The probability of the predicted class.
        public var confidence: Double

        public init(image: String, saliency: String? = nil, label: String, predicted: String, confidence: Double) {
            self.image = image
            self.saliency = saliency
            self.label = label
            self.predicted = predicted
            self.confidence = confidence
        }
    }
}
