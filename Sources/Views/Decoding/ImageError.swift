public enum ImageError: Error, Equatable, Sendable {
    case unreadable(file: String, reason: String)
    case empty
}
