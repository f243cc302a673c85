import Foundation
import Fovea
import Testing
import TestSupport

@testable import Training

/// Runs on clips of which some frames cannot be read.
@Suite struct ClipRunTests {
    /// Of neighbouring pictures, each a clip.
    private struct TornClips: ImageDataset {
        let images: TinyImages
        let broken: Set<[Int]>

        var count: Int { images.count }
        var classNames: [String] { images.classNames }
        func label(at index: Int) -> Int? { images.label(at: index) }
        func name(at index: Int) -> String { "clip\(index)" }
        func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage {
            try images.image(at: index, coveringAtLeast: target)
        }
        func clip(at index: Int) throws(ImageError) -> Clip? {
            Clip(count: index == 7 ? 3 : 12, name: { "\($0).png" }) { frame, target throws(ImageError) in
                if broken.contains([index, frame]) { throw .empty }
                return try images.image(at: (index + frame) % images.count, coveringAtLeast: target)
            }
        }
    }

    private func recipe() throws -> Recipe {
        var recipe = try tinyRecipe("frame_order")
        func changed<Settings: MethodSettings>(_ settings: Settings) throws -> any MethodSettings { try with(settings, ["stride": 2]) }
        recipe.method.settings = try changed(recipe.method.settings)
        return recipe
    }

    /// Whatever was read ahead when it was interrupted, the run leaves the same clips out and lists the same frames.
    @Test func interruptedRunsLeaveTheSameClipsOut() throws {
        let clips = TornClips(images: try TinyImages(), broken: [[2, 0], [2, 4], [20, 5]])
        try withTemporaryFolder { folder in
            let whole = try wholeRun(recipe(), clips, "\(folder)/whole")
            let list = try String(contentsOfFile: "\(folder)/whole/unreadable.csv", encoding: .utf8)
            #expect(list.contains("clip7,\"3 frames, and the recipe needs 7\"") && list.contains(".png: the file is empty"))
            for steps in [1, 2] {
                let run = "\(folder)/\(steps)"
                let options = tinyOptions(shouldStop: stopping(after: steps))
                #expect(try Trainer(recipe(), dataset: clips, folder: RunFolder(run), options: options).run() == .interrupted)
                try resumeUntilDone(run, clips, every: steps, rehearses: true)
                #expect(differences(whole, try files(below: run), ignoring: timingFiles) == [], "every \(steps)")
            }
        }
    }

    @Test func picturesAreNoted() throws {
        try withTemporaryFolder { folder in
            let notes = Notes()
            var recipe = try self.recipe()
            recipe.training.epochs = 1
            try wholeRun(recipe, TinyImages(), "\(folder)/run", options: tinyOptions(observer: notes))
            #expect(notes.messages.contains { $0.contains("clips that stand still") })
            let silent = Notes()
            let clips = TornClips(images: try TinyImages(), broken: [])
            try wholeRun(recipe, clips, "\(folder)/other", options: tinyOptions(observer: silent))
            #expect(!silent.messages.contains { $0.contains("clips that stand still") })
        }
    }
}
