import Backbones
import Methods
import Testing
import Torch
import Views

@testable import Training

/// `--set key.path=value`.
@Suite struct RecipeChangesTests {
    private func temperature(_ recipe: Recipe) -> Double? { (recipe.method.settings as? SimCLR.Settings)?.temperature }
    private func decay(_ recipe: Recipe) -> Schedule? { (recipe.method.settings as? BYOL.Settings)?.targetDecay }

    @Test func atEveryDepth() throws {
        let changed = try recipe(
            "method: {name: simclr, temperature: 0.2}\ntraining: {epochs: 7, optimizer: {name: lars, momentum: 0.8}}",
            "training.epochs=9", "training.optimizer.momentum=0.5", "method.temperature=0.1", "backbone.name=resnet50",
            "data.input.mean=[0.1, 0.2, 0.3]", "training.stepEpochs=[1, 2.5]", "provenance=all mine")
        #expect(changed.training.epochs == 9 && changed.training.optimizer.momentum == 0.5 && changed.training.optimizer.name == .lars)
        #expect(temperature(changed) == 0.1 && changed.backbone.name == "resnet50")
        #expect(changed.data.input == InputTransform(mean: [0.1, 0.2, 0.3], deviation: InputTransform.imagenet.deviation))
        #expect(changed.training.stepEpochs == [1, 2.5])
    }

    @Test func laterChangesWin() throws {
        #expect(try recipe("method: simclr", "training.epochs=9", "training.epochs=4").training.epochs == 4)
        #expect(try recipe("method: simclr", "training={epochs: 9, seed: 3}", "training.epochs=4").training.seed == 3)
    }

    @Test func theMethodAsAName() throws {
        #expect(try temperature(recipe("method: simclr", "method.temperature=0.3")) == 0.3)
        #expect(try recipe("method: simclr", "method=byol").method.name == "byol")
        #expect(try recipe("method: {name: simclr, temperature: 0.3}", "method=byol").method.name == "byol")
        #expect(try recipe("", "method=byol").method.name == "byol")
        #expect(try recipe("", "method.name=rotnet").method.name == "rotnet")
        #expect(refusal("method: simclr", "method=byoll")?.contains("did you mean 'byol'?") == true)
    }

    @Test func schedules() throws {
        #expect(try decay(recipe("method: byol", "method.targetDecay={cosine: {from: 0.99, to: 1}}")) == .cosine(from: 0.99, to: 1))
        #expect(try decay(recipe("method: byol", "method.targetDecay=0.97")) == .constant(0.97))
        #expect(try decay(recipe("method: byol", "method.targetDecay={linear: {from: 0.5, to: 0.6}}")) == .linear(from: 0.5, to: 0.6))
        #expect(try decay(recipe("method: byol", "method.targetDecay.cosine.from=0.9")) == .cosine(from: 0.9, to: 1))
        let constant = "method: {name: byol, targetDecay: 0.99}"
        #expect(try decay(recipe(constant, "method.targetDecay={cosine: {from: 0.9, to: 1}}")) == .cosine(from: 0.9, to: 1))
        #expect(try decay(recipe(constant, "method.targetDecay.linear={from: 0.9, to: 1}")) == .linear(from: 0.9, to: 1))
        #expect(refusal("method: byol", "method.targetDecay.from=0.9")?.contains("a schedule is a number or one of") == true)
    }

    @Test func nullStandsForNone() throws {
        let some = "method: simclr\nbackbone: {stem: imagenet}\ndata: {limit: 5, path: x}\ntraining: {clipGradientNorm: 2}"
        let before = try recipe(some)
        #expect(before.backbone.stem == .imagenet && before.data.limit == 5 && before.training.clipGradientNorm == 2)
        let after = try recipe(some, "backbone.stem=null", "data.limit=null", "data.path=", "training.clipGradientNorm=~")
        #expect(after.backbone.stem == nil && after.data.limit == nil && after.data.path == nil && after.training.clipGradientNorm == nil)
        let views = "method: simclr\ndata: {imageSize: 32}\nviews: [{name: v, size: 32, copies: 2, augmentations: [resize]}]"
        #expect(try recipe(views).views != nil && recipe(views, "views=null").views == nil)
        #expect(try recipe("method: simclr", "training.clipGradientNorm=1", "backbone.stem=small").backbone.stem == .small)
    }

    @Test func malformedChanges() {
        #expect(
            refusal("method: simclr", "training.epochs") == "--set training.epochs: write it as key=value, such as training.epochs=50")
        #expect(refusal("method: simclr", "=3") == "--set =3: write it as key=value, such as training.epochs=50")
        #expect(refusal("method: simclr", "training..epochs=3") == "--set training..epochs=3: the key has an empty part")
        #expect(refusal("method: simclr", "training.=3") == "--set training.=3: the key has an empty part")
        #expect(refusal("method: simclr", "training.epochs=[1") == "--set training.epochs=[1: the value is not YAML")
        #expect(refusal("method: simclr", "training.epoch=3") == "test.yaml: there is no setting 'training.epoch'; did you mean 'epochs'?")
        #expect(refusal("method: simclr", "training.epochs=x") == "test.yaml: 'training.epochs' must be a whole number, not 'x'")
        #expect(refusal("method: simclr", "training.epochs.more=1")?.contains("'training.epochs' must be a whole number") == true)
    }

    /// A value with `=` in it, and one that looks like a number.
    @Test func valuesAreYAML() throws {
        #expect(try recipe("method: simclr", "data.path=runs/a=b/c").data.path == "runs/a=b/c")
        #expect(try recipe("method: simclr", "data.path='7'").data.path == "7")
        #expect(try recipe("method: simclr", "training.epochs=1e3").training.epochs == 1000)
        #expect(try recipe("method: simclr", "training.seed=18446744073709551615").training.seed == .max)
        #expect(try recipe("method: simclr", "method.headBatchNorm=no").method.settings as? SimCLR.Settings != SimCLR.Settings())
    }
}
