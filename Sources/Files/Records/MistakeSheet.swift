/// `evaluation/mistakes.json`: what a classifier takes for what. Image paths are relative to `evaluation/`.
public struct MistakeSheet: Codable, Sendable, Equatable {
    /// Such as `linear probe`.
    public var classifier: String
    public var classes: [String]
    /// [true class][predicted class] counts.
    public var confusion: [[Int]]
    /// What the images' saliency is; nil where they have none.
    public var saliency: Saliency?
    /// Wrongly classified test images, the most confident first.
    public var worst: [Mistake]
    /// Which images it was measured on, as they were named.
    public var data: String?

    public enum Saliency: String, Codable, Sendable {
        /// What spoke for the predicted class, on the last convolutional maps.
        case gradCAM = "grad-cam"
        /// Where the last block's summary attends to, mean over heads.
        case attention
    }

    public init(
        classifier: String, classes: [String], confusion: [[Int]], saliency: Saliency? = nil, worst: [Mistake], data: String? = nil
    ) {
        self.classifier = classifier
        self.saliency = saliency
        self.classes = classes
        self.confusion = confusion
        self.worst = worst
        self.data = data
    }

    public struct Mistake: Codable, Sendable, Equatable {
        public var image: String
        /// The image with its saliency laid over it.
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
