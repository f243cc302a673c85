import Foundation
import Testing

@testable import Views

/// Folders of frames and video files as clips.
@Suite struct ClipDatasetTests {
    private func error(_ body: () throws(DatasetError) -> some Any) -> String? {
        do throws(DatasetError) {
            _ = try body()
            return nil
        } catch {
            return "\(error)"
        }
    }

    private func names(_ dataset: some ImageDataset) -> [String] { (0..<dataset.count).map { dataset.name(at: $0) } }

    /// Frames whose red counts from `first` on.
    private func write(_ count: Int, _ first: Int, to clip: String, _ folder: TemporaryFolder) throws {
        for frame in 0..<count { try folder.write(DatasetsFolderTests.picture(UInt8(first + frame)), to: "\(clip)/f\(frame).png") }
    }

    @Test func foldersOfFramesAreClips() throws {
        let folder = try TemporaryFolder()
        try write(12, 0, to: "walk/c10", folder)
        try write(3, 20, to: "walk/c2", folder)
        try write(2, 30, to: "run/deep/c1", folder)
        try write(1, 40, to: "run/single", folder)
        try write(2, 50, to: "loose", folder)
        try folder.write([1], to: "walk/notes.txt")
        let clips = try ClipDataset(folder.path, videos: nil)
        #expect(names(clips) == ["loose", "run/deep/c1", "walk/c2", "walk/c10"])
        #expect(clips.classNames == ["run", "walk"] && clips.singleImages == 1)
        #expect((0..<4).map { clips.label(at: $0) } == [nil, 0, 1, 1])
        let long = try #require(try clips.clip(at: 3))
        // In natural order: f2 before f10.
        #expect(long.count == 12 && long.name(of: 10) == "f10.png")
        #expect(try (0..<12).map { try long.frame($0).pixels[0] } == (0..<12).map { UInt8($0) })
        #expect(try clips.image(at: 3, coveringAtLeast: nil).pixels[0] == 6)
        #expect(try clips.clip(at: 1)?.frame(1).pixels[0] == 31)

        var options = DatasetOptions(limit: 2)
        #expect(try names(ClipDataset(folder.path, options: options)).count == 2)
        options = DatasetOptions(classNames: ["sit", "walk", "run"])
        #expect(try ClipDataset(folder.path, options: options).label(at: 3) == 1)
        options.classNames = ["walk"]
        #expect(error { () throws(DatasetError) in try ClipDataset(folder.path, options: options) }?.contains("the class \"run\"") == true)
    }

    @Test func theTrainingPartIsListed() throws {
        let folder = try TemporaryFolder()
        for part in ["train", "test"] { try write(3, 0, to: "\(part)/a/c1", folder) }
        try write(3, 0, to: "train/b/c2", folder)
        #expect(try names(ClipDataset(folder.path)) == ["a/c1", "b/c2"])
        #expect(try names(ClipDataset("\(folder.path)/test")) == ["a/c1"])
        // One clip, without a class.
        let single = try ClipDataset("\(folder.path)/train/a/c1")
        #expect(names(single) == ["."] && single.classNames.isEmpty && single.label(at: 0) == nil)
        #expect(try single.clip(at: 0)?.count == 3)
    }

    @Test func whatHoldsNoClipsIsRefused() throws {
        let folder = try TemporaryFolder()
        try folder.write([1], to: "empty/notes.txt")
        try write(1, 0, to: "one", folder)
        #expect(
            error { () throws(DatasetError) in try ClipDataset("\(folder.path)/one") }
                == "no clips in \(folder.path)/one: put a folder of numbered images there for each clip, or video files, in a folder per class "
                + "if they have labels; `fovea clips` makes some to try")
        let list = try folder.write(Array("path\n".utf8), to: "list.csv")
        #expect(error { () throws(DatasetError) in try ClipDataset(list) }?.contains("its images belong to no clips") == true)
        #expect(error { () throws(DatasetError) in try ClipDataset("\(folder.path)/none") }?.hasPrefix("no such file or folder") == true)
        try folder.write([1], to: "films/walk/a.MP4")
        let refusal = try #require(error { () throws(DatasetError) in try ClipDataset("\(folder.path)/films", videos: nil) })
        #expect(refusal.contains("films/walk/a.MP4") && refusal.contains("install it (apt install ffmpeg"))
    }

    @Test func brokenFramesAreNamed() throws {
        let folder = try TemporaryFolder()
        try write(3, 0, to: "c", folder)
        try folder.write([1, 2, 3], to: "c/f1.png")
        let clip = try #require(try ClipDataset(folder.path).clip(at: 0))
        #expect(try clip.frame(0).pixels[0] == 0)
        #expect(throws: ImageError.unknownFormat) { try clip.frame(1) }
    }

    // MARK: Videos

    /// Something that takes ffmpeg's arguments: of a video whose text is a number it makes so many frames, of others none.
    private func unpacker(_ folder: TemporaryFolder) throws -> VideoFrames {
        let picture = try folder.write(DatasetsFolderTests.picture(77), to: "tool/frame.png")
        let script = """
            #!/bin/sh
            for out; do :; done
            while [ "$1" != "-i" ]; do shift; done
            echo "$2" >> "\(folder.path)/tool/calls"
            count=$(cat "$2")
            case "$count" in *[!0-9]*|"") echo "first line" >&2; echo "moov atom not found" >&2; exit 1;; esac
            i=1
            while [ $i -le $count ]; do cp "\(picture)" "$(printf "$out" $i)"; i=$((i+1)); done
            """
        let tool = try folder.write(Array(script.utf8), to: "tool/ffmpeg")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: tool)
        return VideoFrames(ffmpeg: tool, folder: "\(folder.path)/cache")
    }

    @Test func videosAreUnpackedOnce() throws {
        let folder = try TemporaryFolder()
        let videos = try unpacker(folder)
        try folder.write(Array("12".utf8), to: "data/walk/b.mp4")
        try folder.write(Array("nothing".utf8), to: "data/walk/c.webm")
        try write(3, 0, to: "data/run/a", folder)
        let clips = try ClipDataset("\(folder.path)/data", videos: videos)
        #expect(names(clips) == ["run/a", "walk/b.mp4", "walk/c.webm"] && clips.classNames == ["run", "walk"])
        func calls() -> Int {
            ((try? String(contentsOfFile: "\(folder.path)/tool/calls", encoding: .utf8)) ?? "").split(separator: "\n").count
        }
        // Listing unpacks nothing.
        #expect(calls() == 0)
        let clip = try #require(try clips.clip(at: 1))
        #expect(clip.count == 12 && clip.name(of: 0) == "000001.png")
        #expect(try clip.frame(11).pixels[0] == 77 && clips.image(at: 1, coveringAtLeast: nil).pixels[0] == 77)
        #expect(calls() == 1)
        let broken = ImageError.unreadable(
            file: "\(folder.path)/data/walk/c.webm", reason: "ffmpeg cannot decode it: moov atom not found")
        for _ in 0..<2 { #expect(throws: broken) { try clips.clip(at: 2) } }
        #expect(calls() == 2)
        // Another process finds the frames; a video that has changed is unpacked anew.
        let again = VideoFrames(ffmpeg: "/bin/false", folder: videos.folder)
        #expect(try ClipDataset("\(folder.path)/data", videos: again).clip(at: 1)?.count == 12)
        try folder.write(Array("5".utf8), to: "data/walk/b.mp4")
        #expect(try clips.clip(at: 1)?.count == 5)
        // Nothing half done is left.
        let left = try FileManager.default.contentsOfDirectory(atPath: videos.folder)
        #expect(left.count == 2 && left.allSatisfy { !$0.contains(".") })
    }

    @Test func framesOfOtherVideosGoBeyondTheLimit() throws {
        let folder = try TemporaryFolder()
        let earlier = try unpacker(folder)
        for name in ["a", "b", "c", "d"] { try folder.write(Array("4".utf8), to: "data/\(name).mp4") }
        func unpacked() throws -> Set<String> { Set(try FileManager.default.contentsOfDirectory(atPath: earlier.folder)) }
        // Of each video its folder, by hours of rest; that of the first has rested longest.
        var made: [String] = []
        for index in 0..<3 {
            _ = try ClipDataset("\(folder.path)/data", videos: earlier).clip(at: index)
            made.append(try #require(try unpacked().subtracting(made).first))
        }
        for (index, name) in made.enumerated() {
            try FileManager.default.setAttributes(
                [.modificationDate: Date().addingTimeInterval(Double(index - 5) * 3600)], ofItemAtPath: "\(earlier.folder)/\(name)")
        }
        let frame = try FileManager.default.attributesOfItem(atPath: "\(earlier.folder)/\(made[0])/000001.png")[.size] as! Int

        // Two and a half videos' worth. The one that this process reads stays; what it makes anew is used, too.
        let videos = VideoFrames(ffmpeg: earlier.ffmpeg, folder: earlier.folder, limit: 10 * frame)
        let clips = try ClipDataset("\(folder.path)/data", videos: videos)
        #expect(try clips.clip(at: 0)?.count == 4)
        #expect(try unpacked() == Set(made))
        #expect(try clips.clip(at: 3)?.count == 4)
        let left = try unpacked()
        #expect(left.count == 2 && left.isSuperset(of: made.prefix(1)) && left.isDisjoint(with: made.dropFirst()))
        // All that it reads, however much.
        for index in 0..<4 { #expect(try clips.clip(at: index)?.count == 4) }
        #expect(try unpacked().isSuperset(of: left.union(made)))
        #expect(try clips.image(at: 2, coveringAtLeast: nil).pixels[0] == 77)
    }

    /// The real one, where there is one.
    @Test(.enabled(if: VideoFrames.installed != nil)) func ffmpegUnpacks() throws {
        let folder = try TemporaryFolder()
        let installed = try #require(VideoFrames.installed)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: installed.ffmpeg)
        let video = try folder.write([], to: "data/a.avi")
        process.arguments = ["-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc=size=640x320:rate=10:duration=1.5", video]
        try process.run()
        process.waitUntilExit()
        let videos = VideoFrames(ffmpeg: installed.ffmpeg, folder: "\(folder.path)/cache")
        let clip = try #require(try ClipDataset("\(folder.path)/data", videos: videos).clip(at: 0))
        let frame = try clip.frame(3)
        #expect(clip.count == 15 && frame.width == 512 && frame.height == 256)
    }
}
