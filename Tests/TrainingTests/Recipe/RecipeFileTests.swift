import Backbones
import Files
import Foundation
import Methods
import TestSupport
import Testing
import Torch
import Views

@testable import Training

@Suite struct RecipeFileTests {
    @Test func whatIsLeftOutHasItsDefault() throws {
        for text in ["method: simclr", "method: {name: simclr}", "method:\n  name: simclr\n"] {
            #expect(try recipe(text) == Recipe(method: MethodChoice(try MethodRegistry.standard.entry(named: "simclr"))))
        }
        let some = try recipe(
            "method: {name: simclr, temperature: 0.07}\ntraining: {epochs: 3, optimizer: {name: lars}}\ndata: {limit: 50}")
        #expect((some.method.settings as? SimCLR.Settings)?.temperature == 0.07)
        #expect((some.method.settings as? SimCLR.Settings)?.outputWidth == 128)
        #expect(some.training.epochs == 3 && some.training.batchSize == 256)
        #expect(some.training.optimizer.name == .lars && some.training.optimizer.momentum == 0.9)
        #expect(some.data.limit == 50 && some.data.imageSize == 224)
    }

    @Test func textIsReadAgainAsItWas() throws {
        var all = try recipe("method: byol")
        all.provenance = "says: \"something\", with ü and 例, # and {braces}"
        all.method.settings = {
            var settings = BYOL.Settings()
            settings.targetDecay = .warmUp(fraction: 0.125, from: 1e-9, then: .steps(0.5, factor: 0.1, milestones: [0.25, 0.75]))
            return settings
        }()
        all.backbone = BackboneSettings("resnet50", width: 96, stem: .imagenet, zeroInitResidual: true)
        all.data.path = "pictures: of, a/walk #3"
        (all.data.limit, all.data.imageSize) = (12, 96)
        all.views = try ViewRecipe.multiCrop(size: 96, smallSize: 40)
        all.training.seed = .max
        all.training.optimizer = OptimizerSettings(name: .lamb, beta2: 0.99999, epsilon: 1e-6, clipsLearningRate: true)
        (all.training.schedule, all.training.stepEpochs, all.training.clipGradientNorm) = (.steps, [10, 20.5], 1e6)
        all.training.learningRate = 1.0 / 3
        let text = try RecipeFile.text(all)
        #expect(try recipe(text) == all)
        #expect(try RecipeFile.text(recipe(text)) == text)
        // As a person would write it.
        #expect(text.contains("beta2: 0.99999\n") && text.contains("stepEpochs: [10, 20.5]"), "\(text)")
        #expect(text.contains("clipGradientNorm: 1000000\n") && text.contains("epsilon: 1.0e-6\n"), "\(text)")
        #expect(text.contains("learningRate: 0.3333333333333333\n"), "\(text)")
    }

    @Test func viewsAreAList() throws {
        let text = """
            method: simclr
            data: {imageSize: 48}
            views:
              - name: view
                size: 48
                copies: 2
                augmentations:
                  - randomResizedCrop: {scale: [0.2, 1]}
                  - horizontalFlip
            """
        let views = try #require(recipe(text).views)
        #expect(
            views == (try ViewRecipe(views: [View("view", size: 48, copies: 2, [RandomResizedCrop(scale: 0.2...1), HorizontalFlip()])])))
        #expect(try RecipeFile.text(recipe(text)).contains("\nviews:\n- name: view\n"))
        #expect(refusal(text.replacing("horizontalFlip", with: "horizontalflip"))?.contains("did you mean 'horizontalFlip'") == true)
        #expect(refusal(text.replacing("scale", with: "scales"))?.contains("scales") == true)
        #expect(
            refusal(text.replacing("randomResizedCrop: {scale: [0.2, 1]}", with: "grayscale"))?.contains("it needs a randomResizedCrop")
                == true)
        #expect(refusal(text.replacing("copies", with: "copy"))?.contains("copy") == true)
        #expect(
            refusal(text.replacing("imageSize: 48", with: "imageSize: 32"))
                == "test.yaml: data.imageSize is 32, but `views:` has only 48×48: change both")
    }

    // MARK: What is refused

    @Test func unknownKeysNameTheNearest() {
        #expect(refusal("method: simclr\ntrainnig: {}") == "test.yaml: there is no setting 'trainnig'; did you mean 'training'?")
        #expect(
            refusal("method: simclr\ntraining: {epoch: 3}") == "test.yaml: there is no setting 'training.epoch'; did you mean 'epochs'?")
        #expect(
            refusal("method: simclr\ntraining: {optimizer: {momentun: 0.3}}")
                == "test.yaml: there is no setting 'training.optimizer.momentun'; did you mean 'momentum'?")
        #expect(
            refusal("method: {name: simclr, temprature: 0.3}")
                == "test.yaml: there is no setting 'method.temprature'; did you mean 'temperature'?")
        // Nothing near: all that there are. Optional ones too, which no default shows.
        let all = refusal("method: simclr\ndata: {whatever: 3}")
        #expect(
            all?.hasPrefix(
                "test.yaml: there is no setting 'data.whatever'; known here: cacheMegabytes, imageSize, input, labelledShare, limit")
                == true)
        #expect(
            refusal("method: {name: byol, temperature: 0.3}")?.contains(
                "known here: headBatchNorm, hiddenWidth, name, outputWidth, targetDecay") == true)
        #expect(refusal("method: simclr\nbackbone: {stemm: small}")?.contains("did you mean 'stem'?") == true)
        #expect(refusal("method: {name: simclr, settings: {}}")?.contains("there is no setting 'method.settings'") == true)
    }

    @Test func wrongTypesSayWhatTheyMustBe() {
        func training(_ setting: String) -> String? { refusal("method: simclr\ntraining: {\(setting)}") }
        #expect(training("epochs: many") == "test.yaml: 'training.epochs' must be a whole number, not 'many'")
        #expect(training("epochs: 10.5") == "test.yaml: 'training.epochs' must be a whole number, not '10.5'")
        #expect(training("epochs: [3]")?.hasPrefix("test.yaml: 'training.epochs' must be a whole number, not '") == true)
        #expect(training("epochs: true")?.hasPrefix("test.yaml: 'training.epochs' must be a whole number, not 'true'") == true)
        #expect(training("seed: -1") == "test.yaml: 'training.seed' must be a whole number, not '-1'")
        #expect(training("seed: 0.5") == "test.yaml: 'training.seed' must be a whole number, not '0.5'")
        #expect(training("epochs: 1e30")?.hasPrefix("test.yaml: 'training.epochs' must be a whole number, not '1") == true)
        #expect(refusal("method: simclr\ndata: {limit: 2.5}") == "test.yaml: 'data.limit' must be a whole number, not '2.5'")
        let fill = refusal("method: simclr\nviews: [{size: 32, augmentations: [resize, randomCrop: {padding: 2, fill: 300}]}]")
        #expect(fill == "test.yaml: a number does not fit its setting: it is too large, or should be whole")
        #expect(training("learningRate: fast") == "test.yaml: 'training.learningRate' must be a number, not 'fast'")
        #expect(training("decaysVectors: 3") == "test.yaml: 'training.decaysVectors' must be true or false, not '3'")
        #expect(training("stepEpochs: 3") == "test.yaml: 'training.stepEpochs' must be a list, not '3'")
        #expect(training("stepEpochs: [3, x]") == "test.yaml: 'training.stepEpochs[1]' must be a number, not 'x'")
        #expect(training("optimizer: sgd") == "test.yaml: 'training.optimizer' must be a mapping, not 'sgd'")
        #expect(
            training("optimizer: {name: sdg}")
                == "test.yaml: 'training.optimizer.name' must be one of sgd, adam, adamw, lars, lamb, not 'sdg'; did you mean 'sgd'?")
        #expect(
            training("schedule: cosin")
                == "test.yaml: 'training.schedule' must be one of constant, cosine, steps, not 'cosin'; did you mean 'cosine'?")
        #expect(training("schedule: 3") == "test.yaml: 'training.schedule' must be one of constant, cosine, steps, not '3'")
        #expect(
            refusal("method: simclr\nbackbone: {stem: huge}") == "test.yaml: 'backbone.stem' must be one of imagenet, small, not 'huge'")
        #expect(refusal("method: simclr\nmonitoring: {onCollapse: halt}")?.contains("one of ignore, warn, stop, not 'halt'") == true)
        #expect(training("epochs: null") == "test.yaml: 'training.epochs' is missing")
        #expect(refusal("method: simclr\nprovenance: [1]")?.hasPrefix("test.yaml: 'provenance' must be text") == true)
    }

    @Test func textThatIsNoRecipe() throws {
        let broken = refusal("method: {name: simclr\ntraining: [")
        #expect(broken?.hasPrefix("test.yaml is not YAML: ") == true && broken?.contains("\n") == false, "\(broken ?? "")")
        #expect(refusal("- a\n- b") == "test.yaml is not a recipe: it should be a mapping with `method:` and others")
        #expect(refusal("just words") == "test.yaml is not a recipe: it should be a mapping with `method:` and others")
        let missing = "test.yaml: `method:` is missing; give it a name, such as `method: {name: simclr}`"
        for text in ["", "# nothing", "training: {epochs: 3}", "method:", "method: 3", "method: {temperature: 0.5}", "method: {name: 7}"] {
            #expect(refusal(text) == missing, "\(text)")
        }
        #expect(throws: RecipeError("cannot read the recipe /nowhere/x.yaml: check the path, or see `fovea recipes`")) {
            try RecipeFile().read("/nowhere/x.yaml")
        }
        try withTemporaryFolder { folder in
            func why(_ path: String) -> String { #expect(throws: RecipeError.self) { try RecipeFile().read(path) }?.description ?? "" }
            #expect(why(folder).hasPrefix("\(folder) is a folder, not a recipe"))
            for bytes in [[0xff, 0xfe, 0x41, 0x00], [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a], [0x6d, 0x00]] as [[UInt8]] {
                try AtomicFile.write(bytes, to: "\(folder)/bytes.yaml")
                #expect(why("\(folder)/bytes.yaml").hasPrefix("\(folder)/bytes.yaml is not a recipe: it is no text in UTF-8"))
            }
        }
    }

    @Test func unknownMethodsNameTheNearest() {
        let message = "test.yaml: no method is named 'simcrl' (did you mean 'simclr'?); `fovea methods` lists them"
        #expect(refusal("method: simcrl") == message)
        #expect(refusal("method: {name: simcrl}") == message)
        #expect(refusal("method: origami") == "test.yaml: no method is named 'origami'; `fovea methods` lists them")
    }

    @Test func numbersThatJSONDoesNotKnow() {
        for value in [".inf", "-.inf", ".nan"] {
            let message = refusal("method: simclr\ntraining: {learningRate: \(value)}")
            #expect(message == "test.yaml: 'training.learningRate' must be a finite number", "\(value)")
        }
        #expect(refusal("method: simclr\ntraining: {stepEpochs: [1, .nan]}") == "test.yaml: 'training.stepEpochs' must be a finite number")
    }

    @Test func schedulesAreReadStrictly() throws {
        func decay(_ value: String) throws -> Schedule? {
            (try recipe("method: {name: byol, targetDecay: \(value)}").method.settings as? BYOL.Settings)?.targetDecay
        }
        #expect(try decay("0.99") == .constant(0.99))
        #expect(try decay("1") == .constant(1))
        #expect(try decay("{cosine: {from: 0.99, to: 1}}") == .cosine(from: 0.99, to: 1))
        #expect(try decay("{cosine: {from: 0.9}}") == .cosine(from: 0.9, to: 1), "over the default")
        #expect(try decay("{linear: {from: 0.9, to: 0.95}}") == .linear(from: 0.9, to: 0.95))
        #expect(try decay("{steps: {from: 0.9, factor: 0.5, milestones: [0.5]}}") == .steps(0.9, factor: 0.5, milestones: [0.5]))
        func why(_ value: String) -> String? { refusal("method: {name: byol, targetDecay: \(value)}") }
        let kinds = "'method.targetDecay': a schedule is a number or one of cosine, linear, steps, warmUp"
        #expect(why("fast")?.contains(kinds) == true)
        #expect(why("{from: 0.9, to: 1}")?.contains(kinds) == true)
        #expect(why("{linear: {from: 0.9, to: 1}, cosine: {from: 0.9, to: 1}}")?.contains(kinds) == true)
        #expect(why("{cosine: {from: 0.9, to: 1}, from: 0.5}")?.contains(kinds) == true)
        #expect(why("{linear: {from: 0.9, too: 1}}")?.contains("there is no 'too' in a linear schedule: it has from, to") == true)
        #expect(why("{cosine: {from: 0.9, too: 1}}")?.contains("'method.targetDecay.cosine.too'") == true)
        #expect(why("{linear: {from: 0.9}}") == "test.yaml: 'method.targetDecay.linear.to' is missing")
        #expect(why("1.5") == "test.yaml: method.targetDecay must lie between 0 and 1, not 1.5")
    }

    @Test func valuesThatMakeNoSense() {
        func why(_ rest: String) -> String? { refusal("method: simclr\n" + rest)?.replacing("test.yaml: ", with: "") }
        #expect(why("training: {epochs: 0}") == "training.epochs must be at least 1, not 0")
        #expect(why("training: {batchSize: 1}") == "training.batchSize must be at least 2 for SimCLR, not 1")
        #expect(refusal("method: rotnet\ntraining: {batchSize: 1}") == nil)
        #expect(why("training: {learningRate: 0}") == "training.learningRate must be above 0, not 0.0")
        #expect(
            why("training: {epochs: 5, warmUpEpochs: 6}")
                == "training.warmUpEpochs must lie between 0 and training.epochs (5), not 6.0: shorten it too, such as by "
                + "--set training.warmUpEpochs=0")
        #expect(why("training: {optimizer: {momentum: 1}}")?.contains("training.optimizer.momentum") == true)
        #expect(why("data: {imageSize: 4}") == "data.imageSize must be 8 to 4096 pixels, not 4")
        #expect(why("data: {input: {mean: [0.5], deviation: [0.2, 0.2, 0.2]}}")?.contains("three means") == true)
        #expect(why("data: {input: {deviation: [0.2, 0, 0.2]}}")?.contains("deviations above 0") == true)
        #expect(why("monitoring: {logEverySteps: 0}") == "monitoring.logEverySteps must be at least 1")
        #expect(refusal("method: {name: simclr, temperature: 0}") == "test.yaml: method.temperature must be above 0, not 0.0")
    }
}
