/// `evaluation/map.json`: embeddings in two dimensions. Image paths are relative to `evaluation/`.
public struct EmbeddingMap: Codable, Sendable, Equatable {
    /// How two dimensions were made, such as `PCA`.
    public var method: String?
    public var points: [Point]
    /// The same points by other methods.
    public var others: [Projection]?
    /// The labels in the order of their colours; labels that are missing here follow in order of appearance.
    public var classes: [String]?

    public init(method: String? = nil, points: [Point], others: [Projection]? = nil, classes: [String]? = nil) {
        self.method = method
        self.points = points
        self.others = others
        self.classes = classes
    }

    public struct Projection: Codable, Sendable, Equatable {
        public var method: String
        /// As many as there are points, in their order.
        public var x: [Double]
        public var y: [Double]

        public init(method: String, x: [Double], y: [Double]) {
            self.method = method
            self.x = x
            self.y = y
        }
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
