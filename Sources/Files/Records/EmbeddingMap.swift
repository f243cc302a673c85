/// `evaluation/map.json`: embeddings in two dimensions. Image paths are relative to `evaluation/`.
public struct EmbeddingMap: Codable, Sendable, Equatable {
    /// How two dimensions were made, such as `PCA`.
    public var method: String?
    public var points: [Point]
    /// The labels in the order of their colours; labels that are missing here follow in order of appearance.
    public var classes: [String]?

    public init(method: String? = nil, points: [Point], classes: [String]? = nil) {
        self.method = method
        self.points = points
        self.classes = classes
    }

    public struct Point: Codable, Sendable, Equatable {
        public var x: Double
        public var y: Double
        public var label: String?
        public var image: String?

        public init(x: Double, y: Double, label: String? = nil, image: String? = nil) {
            self.x = x
            self.y = y
            self.label = label
            self.image = image
        }
    }
}
