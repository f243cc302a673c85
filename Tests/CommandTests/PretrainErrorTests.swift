import Foundation
import Fovea
import Testing
import TestSupport

/// What people get wrong when they pretrain: one line each, with the file or option and the remedy.
@Suite struct PretrainErrorTests {
    /// A folder for one test, with images to spoil.
    private func withImages(_ body: (_ images: String, _ out: String) throws -> Void) throws {
        try withTemporaryFolder { folder in
            try Fixtures.write(40, to: "\(folder)/images")
            try body("\(folder)/images", "\(folder)/run")
        }
    }

    private func pretrain(_ images: String, _ out: String, _ more: String...) throws -> Executable.Outcome {
        try Executable.run(Fixtures.pretrain(images, out, more))
    }

    // MARK: Images

    @Test func imagesThatAreNotThere() throws {
        try withTemporaryFolder { folder in
            let out = "\(folder)/run"
            try pretrain("\(folder)/none", out).expectRefusal("no such file or folder: \(folder)/none")
            let empty = "\(folder)/empty"
            try FileManager.default.createDirectory(atPath: empty, withIntermediateDirectories: true)
            try pretrain(empty, out).expectRefusal("no images in \(empty)", "it is empty", "put JPEG")
            try AtomicFile.write("text", to: "\(folder)/texts/a.txt")
            try pretrain("\(folder)/texts", out).expectRefusal("no images in \(folder)/texts", "1 other file ignored", "put JPEG")
            #expect(!FileManager.default.fileExists(atPath: out))
        }
    }

    /// The run goes on, and tells.
    @Test func oneUnreadableImage() throws {
        try withImages { images, out in
            try AtomicFile.write("no image", to: "\(images)/heart/torn.jpg")
            try pretrain(images, out, "--epochs", "2").expectSuccess()
            let rows = try CSV.parse(String(contentsOfFile: "\(out)/unreadable.csv", encoding: .utf8))
            #expect(rows.count == 2 && rows[0] == ["name", "reason"] && rows[1][0] == "heart/torn.jpg" && !rows[1][1].isEmpty)
            let summary = try JSONDecoder().decode(RunSummary.self, from: Data(contentsOf: URL(fileURLWithPath: "\(out)/summary.json")))
            #expect(summary.dataset == .init(name: "images", images: 41, unreadable: 1, classes: 8))
            #expect(try String(contentsOfFile: "\(out)/report.html", encoding: .utf8).contains("torn.jpg"))

            func embed() throws -> Executable.Outcome {
                try Executable.run(["embed", out, images, "--out", "\(out)/a.csv", "--threads", "2", "--device", "cpu"])
            }
            let embedded = try embed()
            embedded.expectSuccess()
            #expect(embedded.output.contains("40 images"))
            #expect(embedded.errors.contains("1 image could not be read (first: heart/torn.jpg"), "\(embedded.errors)")
            #expect(try CSV.parse(String(contentsOfFile: "\(out)/a.unreadable.csv", encoding: .utf8))[1] == rows[1])

            // Finite weights whose results are not: the file is written, and it is said.
            let file = "\(out)/encoder.safetensors"
            let encoder = try EncoderFile.read(file)
            withoutGradients { encoder.namedParameters[0].parameter.value.fillInPlace(3e38) }
            try EncoderFile.write(encoder, to: file)
            try embed().expectRefusal("\(out)/a.csv: the features hold NaN or infinite values in")
        }
    }

    /// Once, at the end, where a person looks.
    @Test func saysWhatWasLeftOut() throws {
        try withImages { images, out in
            try AtomicFile.write("no image", to: "\(images)/heart/torn.jpg")
            for name in ["notes.txt", ".DS_Store"] { try AtomicFile.write("text", to: "\(images)/\(name)") }
            let told = try Executable.run(Fixtures.pretrain(images, out).filter { $0 != "--quiet" })
            told.expectSuccess()
            let notes = told.errors.split(separator: "\n").filter { $0.hasPrefix("note: ") && $0.contains("left out") }
            let words =
                "1 image could not be read and was left out: \(out)/unreadable.csv says why; 2 other files among the images were ignored"
            #expect(notes == ["note: \(words)"], "\(told.errors)")
            #expect(try pretrain(images, "\(out)2").errors.isEmpty)
        }
    }

    @Test func unreadableImages() throws {
        try withImages { images, out in
            for index in 0..<20 { try AtomicFile.write("no image", to: "\(images)/heart/torn\(index).jpg") }
            let many = try pretrain(images, out)
            many.expectRefusal("images cannot be read", "data.unreadableShare (0.1)", "\(out)/unreadable.csv")
            try pretrain(images, "\(out)2", "--set", "data.unreadableShare=0.5").expectSuccess()
            for case let name as String in FileManager.default.enumerator(atPath: images)! where name.hasSuffix(".png") {
                try AtomicFile.write("no image", to: "\(images)/\(name)")
            }
            try pretrain(images, "\(out)3").expectRefusal("none of the", "images", "can be read", "first: ")
        }
    }

    @Test func fewImages() throws {
        try withTemporaryFolder { folder in
            try Fixtures.write(1, to: "\(folder)/one")
            try pretrain("\(folder)/one", "\(folder)/run").expectRefusal("DCL needs at least 2 images, and there are 1")
            try Fixtures.write(12, to: "\(folder)/twelve")
            let clamped = try Executable.run(Fixtures.pretrain("\(folder)/twelve", "\(folder)/run").filter { $0 != "--quiet" })
            clamped.expectSuccess()
            #expect(clamped.errors.contains("note: there are only 12 images: batches of 12 instead of 16"))
        }
    }

    /// A class that only the held-out part has is evaluation's matter.
    @Test func heldOutPartIsNotLookedAt() throws {
        try withImages { images, out in
            try FileManager.default.createDirectory(atPath: "\(out)-set/test", withIntermediateDirectories: true)
            try FileManager.default.moveItem(atPath: images, toPath: "\(out)-set/train")
            try FileManager.default.moveItem(atPath: "\(out)-set/train/heart", toPath: "\(out)-set/test/heart")
            try pretrain("\(out)-set", out).expectSuccess()
            let summary = try JSONDecoder().decode(RunSummary.self, from: Data(contentsOf: URL(fileURLWithPath: "\(out)/summary.json")))
            #expect(summary.dataset?.images == 35 && summary.dataset?.classes == 7)
        }
    }

    // MARK: Names and settings

    /// Counts and distances beyond all sense, and masks that hide nothing or everything: a line, at once.
    @Test(arguments: [
        ("relative_patch", "method.gap=100000", "method.gap must be 0 to 1024"),
        ("relative_patch", "method.maximumArea=100000000000", "method.maximumArea must be 1 to 100000000"),
        ("jigsaw", "method.puzzle.permutations.count=400000", "count is 400000, but 9 tiles have 362880 orders"),
        ("jigsaw", "method.puzzle.tiles.channelJitter=1000", "channelJitter is 1000, not 0…64"),
        ("bigbigan", "method.latentWidth=9223372036854775807", "method.latentWidth must be at most 10000000"),
        ("exemplar", "method.copies=100000000", "method.copies must be 1 to 256"),
        ("ijepa", "method.targets=9223372036854775807", "method.targets must be 1 to 64"),
        ("maskfeat", "method.bins=1", "method.bins must be 2 to 360"),
        ("simmim", "method.maskRatio=0", "method.maskRatio must be above 0 and below 1"),
        ("mae", "method.maskRatio=1", "method.maskRatio must be above 0 and below 1"),
    ])
    func settingsBeyondAllSense(_ method: String, _ setting: String, _ words: String) throws {
        try withTemporaryFolder { folder in
            let out = "\(folder)/run"
            try pretrain(Fixtures.images, out, "--method", method, "--set", setting).expectRefusal(words)
            #expect(!FileManager.default.fileExists(atPath: out))
        }
    }

    @Test(arguments: [
        ("simmim", "method.maskUnit=100", "all of which would be hidden"),
        ("data2vec", "method.targetBlocks=13", "method.targetBlocks is 13, but the backbone has 12: ask for fewer"),
        ("mae", "backbone.patchSize=32", "backbone.patchSize (32) makes 1 of an image of 32 pixels"),
    ])
    func masksThatHideNothingOrEverything(_ method: String, _ setting: String, _ words: String) throws {
        try withTemporaryFolder { folder in
            let out = "\(folder)/run"
            let transformer = ["pretrain", Fixtures.images, "--method", method, "--image-size", "32", "--out", out, "--set", setting]
            try Executable.run(transformer + Fixtures.machine).expectRefusal(words)
            #expect(!FileManager.default.fileExists(atPath: out))
        }
    }

    /// What is refused leaves no folder, so that the mended command can be given the same one.
    @Test func refusedSettingsLeaveNothing() throws {
        try withImages { images, out in
            for (method, setting) in [("deepcluster", "clusters"), ("deepcluster_v2", "prototypes"), ("local_aggregation", "clusters")] {
                try pretrain(images, out, "--method", method, "--set", "method.\(setting)=1000")
                    .expectRefusal("method.\(setting) is 1000", "only 40 images", "ask for fewer")
                try pretrain(images, out, "--method", method, "--set", "method.\(setting)=1").expectRefusal("at least 2, not 1")
                #expect(!FileManager.default.fileExists(atPath: out))
            }
            try pretrain(images, out, "--method", "bownet", "--teacher", "\(images)/none")
                .expectRefusal("--teacher \(images)/none is no run that has ended")
            try pretrain(images, out, "--method", "simclr", "--teacher", images)
                .expectRefusal("--teacher: simclr learns from no other run; bownet does")
            try pretrain(images, out, "--method", "cmc", "--backbone", "vit_tiny")
                .expectRefusal("the method needs a ResNet, an AlexNet or a VGG, which vit_tiny is not")
            try pretrain(images, out, "--method", "dino", "--backbone", "vit_tiny", "--patch", "5")
                .expectRefusal("multiple of the patches' side (5)")
            try pretrain(images, out, "--method", "supcon", "--set", "method.loss=both").expectRefusal("must be one of out, in, not 'both'")
            try pretrain(
                images, out, "--method", "byol", "--set",
                "method.targetDecay={warmUp: {fraction: 0.5, from: 0.5, then: {cosine: {from: 5, to: 1}}}}"
            )
            .expectRefusal("method.targetDecay must lie between 0 and 1")
            #expect(!FileManager.default.fileExists(atPath: out))
        }
    }

    @Test func misspelledNames() throws {
        let out = NSTemporaryDirectory() + "fovea-never-made"
        try pretrain(Fixtures.images, out, "--method", "simcrl").expectRefusal("'simcrl'", "did you mean 'simclr'?", "fovea methods")
        try pretrain(Fixtures.images, out, "--backbone", "resnet19").expectRefusal("resnet19", "did you mean 'resnet18'?")
        try pretrain(Fixtures.images, out, "--set", "training.epoch=3").expectRefusal("'training.epoch'", "did you mean 'epochs'?")
        try pretrain(Fixtures.images, out, "--set", "method.temprature=3").expectRefusal(
            "'method.temprature'", "did you mean 'temperature'?")
        try pretrain(Fixtures.images, out, "--set", "training.epochs").expectRefusal("--set training.epochs", "key=value")
        try pretrain(Fixtures.images, out, "--recipe", "simclr/no-such").expectRefusal("there is no recipe simclr/no-such")
        try pretrain(Fixtures.images, out, "--epoks", "3").expectRefusal("--epoks", "fovea pretrain --help")
        #expect(!FileManager.default.fileExists(atPath: out))
    }

    /// A method that learns from another run: without one, and with one that is none, it says so; with one it learns.
    @Test func teachers() throws {
        try withTemporaryFolder { folder in
            let (teacher, out) = ("\(folder)/teacher", "\(folder)/student")
            try pretrain(Fixtures.images, out, "--method", "bownet").expectRefusal("BoWNet needs a teacher", "--teacher RUN")
            try pretrain(Fixtures.images, out, "--method", "bownet", "--teacher", teacher).expectRefusal("\(teacher)/encoder.safetensors")
            #expect(!FileManager.default.fileExists(atPath: out))
            try pretrain(Fixtures.images, teacher, "--method", "rotnet").expectSuccess()
            let words = ["--set", "method.words=12", "--set", "method.level=layer2"]
            try Executable.run(Fixtures.pretrain(Fixtures.images, out, ["--method", "bownet", "--teacher", teacher] + words))
                .expectSuccess()
            // The student is the next teacher.
            try Executable.run(Fixtures.pretrain(Fixtures.images, "\(out)2", ["--method", "bownet", "--teacher", out] + words))
                .expectSuccess()
        }
    }

    @Test func valuesOfTheWrongType() throws {
        try withTemporaryFolder { folder in
            let out = "\(folder)/run"
            try pretrain(Fixtures.images, out, "--set", "training.learningRate=fast")
                .expectRefusal("'training.learningRate' must be a number, not 'fast'")
            try pretrain(Fixtures.images, out, "--set", "training.precision=half").expectRefusal("'training.precision'", "half")
            try pretrain(Fixtures.images, out, "--set", "training.epochs=1.5").expectRefusal("the command line: ")
            try pretrain(Fixtures.images, out, "--epochs", "0").expectRefusal("training.epochs must be at least 1")
            try pretrain(Fixtures.images, out, "--epochs", "many").expectRefusal("--epochs", "many", "fovea pretrain --help")
            try pretrain(Fixtures.images, out, "--width", "0").expectRefusal("width")
            try pretrain(Fixtures.images, out, "--device", "tpu").expectRefusal("--device tpu", "cpu")
            try pretrain(Fixtures.images, out, "--threads", "0").expectRefusal("--threads must be at least 1")
            try pretrain(Fixtures.images, out, "--set", "training.precision=float16").expectRefusal("float16 needs a GPU", "bfloat16")

            let recipe = "\(folder)/mine.yaml"
            try pretrain(Fixtures.images, out, "--recipe", recipe).expectRefusal(recipe)
            try AtomicFile.write("method: {name: simclr, temperature: warm}\n", to: recipe)
            try pretrain(Fixtures.images, out, "--recipe", recipe).expectRefusal(
                recipe, "'method.temperature' must be a number, not 'warm'")
            try AtomicFile.write("method: [simclr\n", to: recipe)
            try pretrain(Fixtures.images, out, "--recipe", recipe).expectRefusal(recipe, "is not YAML")
            try AtomicFile.write("", to: recipe)
            try pretrain(Fixtures.images, out, "--recipe", recipe).expectRefusal(recipe, "`method:` is missing")
            #expect(!FileManager.default.fileExists(atPath: out))
        }
    }

    /// The names that the choice can have, the option that makes it, and what to change along with it.
    @Test func refusalsNameTheRemedy() throws {
        try withTemporaryFolder { folder in
            let out = "\(folder)/run"
            func refused(_ more: String..., as words: String) throws {
                let arguments = Fixtures.pretrain(Fixtures.images, out, more)
                try Executable.run(arguments).expectRefusal(words)
            }
            try refused("--set", "training.schedule=cosin", as: "one of constant, cosine, steps, not 'cosin'; did you mean 'cosine'?")
            try refused("--set", "training.optimizer.name=sgdd", as: "one of sgd, adam, adamw, lars, lamb, not 'sgdd'; did you mean 'sgd'?")
            try refused("--set", "backbone.stem=huge", as: "'backbone.stem' must be one of imagenet, small, not 'huge'")
            try refused("--set", "method.name=rotnet", as: "--set method.name=rotnet: choose the method by --method rotnet")
            try refused("--set", "method.jitterStrength=3", as: "method.jitterStrength must lie between 0 and 2.5, not 3.0")
            try refused("--set", "data.path=elsewhere", as: "--set data.path=elsewhere: the images are given already")
            try refused("--loader-threads", "0", as: "--loader-threads must be at least 1")
            try refused("--recipe", "simclr/cifar10", "--image-size", "32", as: "--set training.warmUpEpochs=0")
            try refused("--recipe", "simclr/cifar10", "--method", "byol", as: "the recipe simclr/cifar10 is one of simclr")
            try refused("--recipe", folder, as: "\(folder) is a folder, not a recipe")
            try AtomicFile.write([0x89, 0x50, 0x4e, 0x47, 0x00, 0xff], to: "\(folder)/random")
            try refused("--recipe", "\(folder)/random", as: "\(folder)/random is not a recipe: it is no text")
            #expect(!FileManager.default.fileExists(atPath: out))
        }
    }

    @Test func nothingToTrainOn() throws {
        try Executable.run(["pretrain"]).expectRefusal("say which images")
        try Executable.run(["pretrain", "a", "--data", "b"]).expectRefusal("give the images once")
    }

    // MARK: Folders of runs

    @Test func foldersOfRuns() throws {
        try withTemporaryFolder { folder in
            try pretrain(Fixtures.images, Fixtures.run).expectRefusal(
                "\(Fixtures.run) already holds a run", "--resume \(Fixtures.run)", "another --out")
            func resume(_ path: String, _ more: String...) throws -> Executable.Outcome {
                try Executable.run(["pretrain", "--resume", path] + Fixtures.machine + more)
            }
            try resume(folder).expectRefusal("\(folder) holds no run", "--out")
            try resume("\(folder)/none").expectRefusal("\(folder)/none holds no run", "--out")
            try resume(Fixtures.run, "--from", "epoch-7").expectRefusal("no checkpoint 'epoch-7'", "best, last")
            try resume(Fixtures.run, "--epochs", "7", "--width", "8").expectRefusal("leave out --width, --epochs")
            try Executable.run(Fixtures.pretrain(Fixtures.images, "\(folder)/run", ["--from", "best"])).expectRefusal("--from", "--resume")

            let copy = "\(folder)/copy"
            try FileManager.default.copyItem(atPath: Fixtures.run, toPath: copy)
            try FileManager.default.removeItem(atPath: "\(copy)/recipe.yaml")
            try resume(copy).expectRefusal("\(copy)/recipe.yaml is missing", "put it back")
        }
    }

    /// A relative path in the recipe, and another working folder.
    @Test func resumedElsewhere() throws {
        try withTemporaryFolder { folder in
            let run = "\(folder)/run"
            try Fixtures.write(40, to: "\(folder)/photos")
            let begun = try Executable.run(Fixtures.pretrain("photos", "run", epochs: 2), in: folder)
            begun.expectSuccess()
            let expected = try files(below: run)
            func resume(_ more: String...) throws -> Executable.Outcome {
                let arguments = ["pretrain", "--resume", run, "--from", "best"] + Fixtures.machine + more
                return try Executable.run(arguments, in: NSTemporaryDirectory())
            }
            try resume().expectRefusal(
                "no such file or folder: photos", "where \(run)/recipe.yaml has the images", "--data <where the images are now>")
            try resume("--data", "\(folder)/photos").expectSuccess()
            #expect(differences(expected, try files(below: run), ignoring: timingFiles) == [])
            let wrong = try resume("--data", "\(folder)/none")
            wrong.expectRefusal("no such file or folder: \(folder)/none")
            #expect(!wrong.errors.contains("recipe.yaml"))
        }
    }

    /// Through the command, what `DamagedCheckpointTests` does to the trainer.
    @Test func damagedCheckpoint() throws {
        try withTemporaryFolder { folder in
            let run = "\(folder)/run"
            try FileManager.default.copyItem(atPath: Fixtures.run, toPath: run)
            let last = "\(run)/checkpoints/last.safetensors"
            let bytes = try contents(of: last)
            for damaged in [Array(bytes[..<(bytes.count / 2)]), bytes[..<200] + [0] + bytes[201...], bytes.dropLast() + [bytes.last! ^ 4]] {
                try AtomicFile.write(Array(damaged), to: last)
                let outcome = try Executable.run(["pretrain", "--resume", run] + Fixtures.machine)
                outcome.expectRefusal("damaged", last, "--from best")
            }
            try Executable.run(["pretrain", "--resume", run, "--from", "best"] + Fixtures.machine).expectSuccess()
            #expect(differences(try files(below: Fixtures.run), try files(below: run), ignoring: timingFiles) == [])
            try Fixtures.write(3, to: "\(folder)/other")
            try Executable.run(["pretrain", "--resume", run, "--data", "\(folder)/other"] + Fixtures.machine)
                .expectRefusal("begun with 64 images of 8 classes", "there are 3 of 3", "put the images back")
        }
    }

    /// The advice, and the last good checkpoint.
    @Test func lossThatIsNoNumber() throws {
        try withTemporaryFolder { folder in
            let run = "\(folder)/run"
            let outcome = try Executable.run(
                Fixtures.pretrain(
                    Fixtures.images, run, epochs: 4,
                    [
                        "--set", "training.learningRate=1e30", "--set", "training.learningRateScaling=none", "--set",
                        "training.schedule=constant",
                    ]))
            outcome.expectRefusal("no longer finite", "training.learningRate", "training.warmUpEpochs", "training.clipGradientNorm=1")
            #expect(outcome.code == 1)
            for name in RunFolder(run).checkpoints {
                let tensors = try Safetensors.read(RunFolder(run).checkpoint(name)).tensors
                #expect(tensors.values.allSatisfy { $0.isFinite().all().item == 1 })
            }
        }
    }
}
