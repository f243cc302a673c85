/// Why an image could not be had. Each description is one line that can stand behind the file's name.
public enum ImageError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file could not be read at all; `reason` is the system's.
    case unreadable(file: String, reason: String)
    /// Not a single byte.
    case empty
    /// The first bytes are those of no format that is read here.
    case unknownFormat
    /// The format was recognised, but its data are broken, cut off, or of a kind that is not supported.
    case corrupt(format: ImageFormat, reason: String)
    /// The header names more pixels than the decoder's limit; nothing was allocated for them.
    case tooLarge(width: Int, height: Int, limit: Int)

    public var description: String {
        switch self {
        case .unreadable(let file, let reason): "cannot read \(file): \(reason)"
        case .empty: "the file is empty"
        case .unknownFormat: "not an image of a known format (JPEG, PNG, WebP, TIFF, BMP, PNM)"
        case .corrupt(let format, let reason): "broken \(format): \(reason)"
        case .tooLarge(let width, let height, let limit): "\(width) × \(height) pixels are more than the limit of \(limit)"
        }
    }
}
