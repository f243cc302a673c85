import Foundation
import Fovea
import TestSupport
import Testing

/// From made-up clips to an encoder, as a person does it.
@Suite struct ClipsTests {
    @Test func clipsArePretrainedOnAndEvaluated() throws {
        try withTemporaryFolder { folder in
            let clips = "\(folder)/clips"
            let made = try Executable.run(["clips", "--out", clips, "--count", "24", "--test-count", "8", "--frames", "26", "--side", "16"])
            made.expectSuccess()
            #expect(made.output.contains("24 clips to train on and 8 to test on"))
            try Executable.run(["clips", "--out", clips]).expectRefusal("is there already")
            try Executable.run(["clips", "--out", "\(folder)/other", "--frames", "1"]).expectRefusal("--frames 1")

            try Executable.run(["views", "--recipe", "frame_order/small", "--data", clips, "--out", "\(folder)/views.png", "--count", "2"])
                .expectSuccess()
            let sheet = try ImageDecoder().decode(file: "\(folder)/views.png")
            // The middle frame and four of the clip's, 32 wide each; a caption under each row.
            #expect(sheet.width >= 5 * 36 && sheet.height > 2 * 32)

            try Executable.run(["views", "--recipe", "frame_order/small", "--data", clips, "--out", "\(folder)/views.jpg"])
                .expectRefusal("views.jpg", ".png")
            // Nothing is left of a refused run.
            let short = "\(folder)/short"
            try Executable.run(["pretrain", clips, "--recipe", "frame_order/small", "--out", short, "--set", "method.stride=100"])
                .expectRefusal("the clips have 26 frames at most", "needs 301", "method.stride")
            #expect(!FileManager.default.fileExists(atPath: short))

            // A frame that cannot be read costs its samples, and is named.
            for frame in ["0008", "0009"] {
                try Data([1, 2, 3]).write(to: URL(filePath: "\(clips)/train/circle/clip00000/\(frame).png"))
            }
            let run = "\(folder)/run"
            let tiny = [
                "--width", "4", "--batch-size", "8", "--epochs", "3", "--quiet", "--device", "cpu", "--threads", "2", "--loader-threads",
                "2",
            ]
            let settings = ["data.imageSize=16", "method.hiddenWidth=16", "training.warmUpEpochs=0", "monitoring.knnEveryEpochs=0"]
            try Executable.run(
                ["pretrain", clips, "--recipe", "frame_order/small", "--out", run] + tiny + settings.flatMap { ["--set", $0] }
            ).expectSuccess()
            #expect(try String(contentsOfFile: "\(run)/unreadable.csv", encoding: .utf8).contains("circle/clip00000,\"000"))
            let evaluated = try Executable.run(
                ["evaluate", run, "--data", clips, "--protocol", "knn", "--random-encoders", "1", "--device", "cpu", "--quiet"])
            evaluated.expectSuccess()
            #expect(evaluated.output.contains("random encoder"))
        }
    }

    @Test func picturesAreNoClips() throws {
        try Executable.run(["pretrain", Fixtures.run, "--method", "frame_order", "--out", "\(Fixtures.images)-none"]).expectRefusal(
            "no clips in")
        let long = ["method.stride=9", "data.imageSize=16"].flatMap { ["--set", $0] }
        // Every class's folder of pictures is a clip to it, but a short one.
        try Executable.run(
            [
                "pretrain", Fixtures.images, "--recipe", "frame_order/small", "--out", "\(Fixtures.images)-none", "--device", "cpu",
                "--quiet",
            ] + long
        ).expectRefusal("the clips have 8 frames at most", "needs 28", "method.stride")
    }
}
