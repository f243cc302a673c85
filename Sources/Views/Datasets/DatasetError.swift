/// Why a dataset could not be opened. Each description is one line that says what is wrong, where, and what to do.
public enum DatasetError: Error, Equatable, Sendable, CustomStringConvertible {
    case noSuchPath(String)
    /// A folder or file that the system does not let us read; `reason` is the system's.
    case unreadable(path: String, reason: String)
    /// A folder without frames of clips, and without videos.
    case noClips(folder: String)
    /// `archive`: the name of a packed file in the folder, when there is one that should probably be unpacked.
    /// `video`: one of the videos in the folder, which only methods that learn from clips can read.
    case noImages(folder: String, ignoredFiles: Int, archive: String?, video: String? = nil)
    /// A path that is no dataset of a kind we know; `remedy` says what would be.
    case unsupported(path: String, remedy: String)
    /// A packed file whose length does not fit its format; `expected` in words.
    case wrongSize(file: String, bytes: Int, expected: String)
    /// A packed file with impossible contents.
    case broken(file: String, reason: String)
    /// A line of a list that cannot be used; lines count from 1.
    case badLine(file: String, line: Int, reason: String)
    /// The test part has a class that the training part has not.
    case unknownClass(String, in: String)
    case noSuchPart(DatasetPart, in: String)

    public var description: String {
        switch self {
        case .noSuchPath(let path):
            return "no such file or folder: \(path): check the path (a relative one starts at the current folder)"
        case .unreadable(let path, let reason):
            return "cannot read \(path): \(reason)"
        case .noImages(let folder, let ignored, let archive, let video):
            let others = ignored == 0 ? "it is empty" : "\(ignored) other \(ignored == 1 ? "file" : "files") ignored"
            if let archive { return "no images in \(folder) (\(others)): unpack \(archive) first" }
            if let video {
                return "no images in \(folder) (\(others)): unpack each video's frames into a folder of its own, such as by "
                    + "`ffmpeg -i '\(folder)/\(video)' FOLDER/%06d.png`"
            }
            return "no images in \(folder) (\(others)): put JPEG, PNG, WebP, TIFF, BMP or PNM files there, in a folder per class if they "
                + "have labels, or give a CIFAR, MNIST or STL-10 folder or a CSV list"
        case .noClips(let folder):
            return "no clips in \(folder): put a folder of numbered images there for each clip, or video files, in a folder per class if "
                + "they have labels; `fovea clips` makes some to try"
        case .unsupported(let path, let remedy):
            return "\(path) is not a dataset that can be read: \(remedy)"
        case .wrongSize(let file, let bytes, let expected):
            return "\(file) has \(bytes) bytes instead of \(expected): download or unpack it again"
        case .broken(let file, let reason):
            return "\(file) is broken: \(reason)"
        case .badLine(let file, let line, let reason):
            return "\(file), line \(line): \(reason)"
        case .unknownClass(let name, let path):
            return "the class \"\(name)\" in \(path) is not among the training classes: add it there or take it away here"
        case .noSuchPart(let part, let path):
            return "\(path) has no \(part.rawValue) part"
        }
    }
}

extension DatasetError {
    /// The dataset's view of a file of its own (a list, labels, names) that could not be read.
    init(_ error: ImageError, file: String) {
        switch error {
        case .unreadable(let file, let reason): self = .unreadable(path: file, reason: reason)
        default: self = .broken(file: file, reason: error.description)
        }
    }
}
