internal import Files
internal import Foundation

/// Unpacks video files into folders of frames by the `ffmpeg` command, once: a folder is found again by the file's path, length and
/// time of change.
///
/// Frames are PNG, so that no second compression leaves traces, and their shorter side is 256 pixels at most.
public final class VideoFrames: Sendable {
    /// The program.
    public let ffmpeg: String
    /// Where the folders of frames lie. Beyond 20 GB the least recently used go, but none that this process reads: a larger data set
    /// would be unpacked anew in every epoch.
    public let folder: String
    private let lock = NSLock()
    /// Of videos that could not be unpacked: why, so that each is tried once.
    nonisolated(unsafe) private var failures: [String: ImageError] = [:]
    /// Folders of frames that this process was given, which stay.
    nonisolated(unsafe) private var used: Set<String> = []
    nonisolated(unsafe) private var entries: CacheFolder

    public convenience init(ffmpeg: String, folder: String) {
        self.init(ffmpeg: ffmpeg, folder: folder, limit: CacheFolder.standardLimit)
    }

    /// - Parameter limit: bytes of all frames.
    init(ffmpeg: String, folder: String, limit: Int) {
        self.ffmpeg = ffmpeg
        self.folder = folder
        entries = CacheFolder(folder, limit: limit) { CacheFolder.isChecksum($0) }
    }

    /// The `ffmpeg` on the `PATH`, and `frames` in `$FOVEA_CACHE` or in `fovea` in the user's folder for such things; nil without an
    /// `ffmpeg`.
    public static let installed: VideoFrames? = {
        let environment = ProcessInfo.processInfo.environment
        func named(_ key: String) -> String? { environment[key].flatMap { $0.isEmpty ? nil : $0 } }
        let program = (named("PATH") ?? "").split(separator: ":").map { "\($0)/ffmpeg" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
        let caches = named("FOVEA_CACHE") ?? "\(named("XDG_CACHE_HOME") ?? "\(NSHomeDirectory())/.cache")/fovea"
        return program.map { VideoFrames(ffmpeg: $0, folder: "\(caches)/frames") }
    }()

    static let extensions: Set<String> = ["mp4", "m4v", "mov", "avi", "mkv", "webm", "mpg", "mpeg", "wmv", "flv", "ogv", "3gp"]

    static func isVideo(_ name: String) -> Bool {
        name.lastIndex(of: ".").map { extensions.contains(name[name.index(after: $0)...].lowercased()) } ?? false
    }

    /// The frames of a video, unpacked if they have not been yet. Threads that ask for others wait meanwhile: `ffmpeg` uses them all.
    /// - Throws: ``ImageError`` when the file is not there or `ffmpeg` makes no frames of it.
    func clip(_ video: String, _ decoder: ImageDecoder) throws(ImageError) -> Clip {
        let frames = try unpacked(video)
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: frames)) ?? []).filter { $0.hasSuffix(".png") }
            .sorted(by: NaturalOrder.precedes)
        guard !names.isEmpty else { throw .unreadable(file: video, reason: "\(frames) holds no frames: delete that folder") }
        return Clip(count: names.count, name: { names[$0] }) { frame, target throws(ImageError) in
            try decoder.decode(file: "\(frames)/\(names[frame])", coveringAtLeast: target)
        }
    }

    private func unpacked(_ video: String) throws(ImageError) -> String {
        let files = FileManager.default
        guard FolderEntries.exists(video), let fingerprint = ClipDataset.fingerprint(ofFile: video) else {
            throw .unreadable(file: video, reason: "no such file")
        }
        var checksum = Checksum()
        checksum.add(URL(fileURLWithPath: video).standardizedFileURL.path)
        checksum.add(Int(bitPattern: UInt(fingerprint)))
        let frames = "\(folder)/\(checksum.text)"
        lock.lock()
        defer { lock.unlock() }
        if files.fileExists(atPath: frames) {
            used.insert(frames)
            CacheFolder.use(frames)
            return frames
        }
        if let failure = failures[frames] { throw failure }
        let partial = "\(frames).\(ProcessInfo.processInfo.processIdentifier).partial"
        defer { try? files.removeItem(atPath: partial) }
        do throws(ImageError) {
            try unpack(video, into: partial)
            // Another process may have been quicker.
            guard (try? files.moveItem(atPath: partial, toPath: frames)) != nil || files.fileExists(atPath: frames) else {
                throw .unreadable(file: video, reason: "cannot write \(frames)")
            }
        } catch {
            failures[frames] = error
            throw error
        }
        used.insert(frames)
        // Another process that was given a folder may be about to open its frames.
        entries.removeOldest(after: [frames], keeping: used, usedWithin: 3600)
        return frames
    }

    private func unpack(_ video: String, into partial: String) throws(ImageError) {
        guard (try? FileManager.default.createDirectory(atPath: partial, withIntermediateDirectories: true)) != nil else {
            throw .unreadable(file: video, reason: "cannot make \(partial): give another place by FOVEA_CACHE")
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: ffmpeg)
        let scale = "min(1,256/min(iw,ih))"
        process.arguments = [
            "-nostdin", "-v", "error", "-i", video, "-vf", "scale=w='trunc(iw*\(scale))':h='trunc(ih*\(scale))'", "\(partial)/%06d.png",
        ]
        let errors = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = errors
        do { try process.run() } catch { throw .unreadable(file: video, reason: "\(ffmpeg) cannot be started") }
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let line = text.split(whereSeparator: \.isNewline).last.map { ": \($0)" } ?? ""
        let made = ((try? FileManager.default.contentsOfDirectory(atPath: partial)) ?? []).count
        guard process.terminationStatus == 0, made > 0 else {
            throw .unreadable(file: video, reason: "ffmpeg cannot decode it\(line)")
        }
    }
}
