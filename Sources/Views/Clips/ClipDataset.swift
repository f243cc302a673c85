/// Clips below a folder: every folder that holds two images or more is one, its images in natural order the frames; so is every
/// video file, whose frames `ffmpeg` unpacks when they are first asked for.
///
/// As of images, the folder below the root is a clip's class (`class/clip/frame.png`, `class/clip.mp4`); clips directly below the root
/// have none. As a picture, a clip is its middle frame.
public struct ClipDataset: ImageDataset {
    public let root: String
    public let classNames: [String]
    /// Folders with a single image, which nothing moves in.
    public let singleImages: Int

    private struct Entry: Sendable {
        /// Relative to the root; "" for the root itself.
        let path: String
        /// Where its frames' names are in `names`; nil for a video.
        let frames: [Int]?
        let label: Int?
    }

    private let entries: [Entry]
    private let names: NameTable
    private let decoder: ImageDecoder
    private let videos: VideoFrames?

    /// Lists the folder; nothing is opened or unpacked. Of a folder that is divided (`train/`, `test/` …) the training part is listed.
    ///
    /// - Parameter videos: what unpacks video files; nil when there is nothing on this machine that can.
    /// - Throws: ``DatasetError`` when the folder or one below it cannot be read, holds no clip, has a class that `options.classNames`
    ///   lacks, or has videos that nothing can unpack.
    public init(
        _ path: String, options: DatasetOptions = DatasetOptions(), videos: VideoFrames? = VideoFrames.installed
    ) throws(DatasetError) {
        let (format, found) = try DatasetFormat.recognise(path)
        guard format == .folder else {
            throw .unsupported(
                path: path,
                remedy: "its images belong to no clips: give a folder in which each clip is a folder of frames or a video file")
        }
        let root = try DatasetSplits.trainingFolder(found)
        let listing = try FolderListing(root)
        if videos == nil, let video = listing.videos.first {
            throw .unsupported(
                path: "\(root)/\(video)",
                remedy: "videos need ffmpeg, which is not installed: install it (apt install ffmpeg, brew install ffmpeg), or unpack each "
                    + "video into a folder of numbered images")
        }
        var frames = [[Int]](repeating: [], count: listing.folders.count)
        for (file, folder) in listing.folderOfFile.enumerated() { frames[Int(folder)].append(file) }
        var clips: [(path: String, frames: [Int]?)] = zip(listing.folders, frames).filter { $1.count > 1 }.map { (path: $0, frames: $1) }
        singleImages = frames.count { $0.count == 1 }
        for video in listing.videos { clips.append((video, nil)) }
        clips.sort { NaturalOrder.precedes($0.path, $1.path) }
        guard !clips.isEmpty else { throw .noClips(folder: root) }

        var classes: [String] = []
        for clip in clips {
            if let name = Self.className(clip.path), !classes.contains(name) { classes.append(name) }
        }
        let classNames = options.classNames ?? classes.sorted(by: NaturalOrder.precedes)
        let labels = Dictionary(zip(classNames, classNames.indices), uniquingKeysWith: { first, _ in first })
        var entries: [Entry] = []
        for index in RandomSubset.indices(of: clips.count, limit: options.limit, seed: options.seed) {
            let clip = clips[index]
            var label: Int?
            if let name = Self.className(clip.path) {
                guard let number = labels[name] else { throw .unknownClass(name, in: root) }
                label = number
            }
            entries.append(Entry(path: clip.path, frames: clip.frames, label: label))
        }
        self.root = root
        self.classNames = classNames
        self.entries = entries
        names = listing.names
        decoder = options.decoder
        self.videos = videos
    }

    private static func className(_ path: String) -> String? { path.firstIndex(of: "/").map { String(path[..<$0]) } }

    public var count: Int { entries.count }
    public func label(at index: Int) -> Int? { entries[index].label }
    /// The clip's path relative to the root.
    public func name(at index: Int) -> String { entries[index].path.isEmpty ? "." : entries[index].path }

    public func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage {
        let clip = try frames(at: index)
        return try clip.frame(clip.count / 2, coveringAtLeast: target)
    }

    public func clip(at index: Int) throws(ImageError) -> Clip? { try frames(at: index) }

    private func frames(at index: Int) throws(ImageError) -> Clip {
        let entry = entries[index]
        guard let places = entry.frames else { return try videos!.clip("\(root)/\(entry.path)", decoder) }
        let folder = entry.path.isEmpty ? root : "\(root)/\(entry.path)"
        let (names, decoder) = (names, decoder)
        return Clip(count: places.count, name: { names[places[$0]] }) { frame, target throws(ImageError) in
            try decoder.decode(file: "\(folder)/\(names[places[frame]])", coveringAtLeast: target)
        }
    }
}
