/// `evaluation/pictures.json`: what a method made of images, a row of pictures for each kind. Paths are relative to `evaluation/`.
public struct PictureSheet: Codable, Sendable, Equatable {
    public var rows: [Row]

    public init(rows: [Row]) { self.rows = rows }

    public struct Row: Codable, Sendable, Equatable {
        public var title: String
        /// One picture with all of the row's beside each other, in the same order in every row.
        public var image: String

        public init(title: String, image: String) {
            self.title = title
            self.image = image
        }
    }
}
