/// `evaluation/neighbours.json`: test images and the training images nearest to them. Image paths are relative to `evaluation/`.
public struct NeighbourSheet: Codable, Sendable, Equatable {
    public var rows: [Row]

    public init(rows: [Row]) { self.rows = rows }

    public struct Row: Codable, Sendable, Equatable {
        public var query: Picture
        public var neighbours: [Neighbour]

        public init(query: Picture, neighbours: [Neighbour]) {
            self.query = query
            self.neighbours = neighbours
        }
    }

    public struct Picture: Codable, Sendable, Equatable {
        public var image: String
        /// Nil for images without labels.
        public var label: String?

        public init(image: String, label: String? = nil) {
            self.image = image
            self.label = label
        }
    }

    public struct Neighbour: Codable, Sendable, Equatable {
        public var image: String
        public var label: String?
        /// Cosine similarity to the query.
        public var similarity: Double?

        public init(image: String, label: String? = nil, similarity: Double? = nil) {
            self.image = image
            self.label = label
            self.similarity = similarity
        }
    }
}
