import ArgumentParser
import Fovea
import Foundation

struct Demo: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The main job in a few minutes: pretrain without labels, then compare with baselines that have few.",
        discussion: """
            Without --data the images are made up: eight shapes over varied textures, colours, positions and sizes, written to
            <out>/images. With --data they are yours; with a folder per class (best in train/ and test/) the comparison is made
            too, otherwise the run ends with the encoder.
            """)

    @Option(help: "Your images: a folder, a CSV list or a packed set.", completion: .file())
    var data: String?

    @Option(help: "Where everything goes; what an earlier demo made there is replaced.", completion: .directory)
    var out = "runs/demo"

    @Option(help: "Labels per class that the comparison uses.")
    var labels = 5

    @Option(help: "Times through the images; by default as many as take about two minutes.")
    var epochs: Int?

    @Option(help: "Images to train on at most.")
    var limit = 4000

    @Option(help: "What chance draws from.")
    var seed: UInt64 = 0

    @OptionGroup var machine: MachineOptions

    func validate() throws {
        if labels < 1 { throw ValidationError("--labels must be at least 1") }
        if let epochs, epochs < 1 { throw ValidationError("--epochs must be at least 1") }
        if limit < 32 { throw ValidationError("--limit must be at least 32") }
    }

    func run() throws {
        Interruption.watch()
        machine.apply()
        let folder = RunFolder("\(out)/simclr")
        // Whatever could be refused is refused before anything is removed, and before minutes of training.
        let place = DemoFolder(out, data: data)
        try place.check()
        let options = DatasetOptions(limit: limit, seed: seed, note: DatasetOptions.telling.note)
        let given = try data.map { (path: $0, splits: try DatasetSplits.open($0, options: options)) }
        _ = try given.map { try self.comparison($0.splits) }
        try place.clear()
        let images = try given?.path ?? makeImages()
        let splits = try given?.splits ?? DatasetSplits.open(images, options: options)
        let comparison = try self.comparison(splits)

        say("\n1  pretraining on \(Format.count(splits.train.count)) images, without their labels")
        let recipe = try makeRecipe("simclr", splits.train, images)
        try train(recipe, splits.train, folder)

        guard let (few, test, note) = comparison else {
            let labels = splits.train.classNames.isEmpty ? "no labels" : "labels of one class only"
            say("\nThese images have \(labels), so there is nothing to compare with: the encoder is \(folder.encoder)")
            say("embed images with it by: fovea embed \(folder.path) \(images) --out \(out)/features.npy")
            print("report: \(try RunReport.write(folder.path))")
            return
        }
        if let note { say("   (\(note))") }
        say("\n2  a supervised network from scratch, on \(few.count) labels (\(labels) per class)")
        let supervised = try superviseFromScratch(few, images)

        say("\n3  the same \(few.count) labels on the encoder's features, a random encoder's and raw pixels")
        var evaluator = Evaluator()
        evaluator.seed = seed
        evaluator.device = try machine.chosenDevice()
        evaluator.loaderThreads = machine.loaders
        var outcome = try evaluator(
            Encoder.load(folder.path, on: evaluator.device), name: "simclr", train: few, test: test, folder: "\(folder.path)/evaluation")
        outcome.results.append(try evaluator.accuracy(of: supervised, name: "supervised", trainImages: few.count, on: test))
        try evaluator.write(outcome, to: "\(folder.path)/evaluation")

        print("\n" + ResultsPivot(outcome.results).text())
        for difference in outcome.differences where difference.metric == "top-1" { Terminal.paragraph(difference.sentence) }
        print("report: \(try RunReport.write(folder.path))")
    }

    // MARK: Parts

    private func makeImages() throws -> String {
        say("No --data: making 4,000 images of shapes to train on and 1,000 to test on, in \(out)/images. They are synthetic; for")
        say("a real answer give a folder of yours: make demo DATA=photos/")
        for (part, count, seed) in [("train", 4000, self.seed), ("test", 1000, self.seed &+ 1)] {
            let shapes = SyntheticShapes(count: count, seed: seed)
            for index in 0..<count {
                let bytes = ImageEncoder.png(try shapes.image(at: index, coveringAtLeast: nil))
                try AtomicFile.write(bytes, to: "\(out)/images/\(part)/\(shapes.name(at: index))", synced: false)
            }
        }
        return "\(out)/images"
    }

    private func makeRecipe(_ method: String, _ images: any ImageDataset, _ path: String) throws -> Recipe {
        var recipe = try DefaultRecipe.make(method: method, for: images)
        recipe.data.path = path
        recipe.data.imageSize = min(recipe.data.imageSize, 64)
        // A quarter of the published width: two cores, two minutes.
        recipe.backbone = BackboneSettings("resnet18", width: 16, stem: recipe.data.imageSize > 32 ? .imagenet : .small)
        recipe.training.batchSize = min(128, max(16, images.count / 8))
        recipe.training.learningRate = 0.12
        recipe.training.epochs = epochs ?? max(1, 10 * 4000 / max(images.count, 400))
        recipe.training.warmUpEpochs = 0
        recipe.training.seed = seed
        recipe.monitoring.knnEveryEpochs = 0
        if data == nil, method == "simclr" {
            // Crops of less than half of an image with one shape would mostly show none of it.
            recipe.views = try ViewRecipe(views: [
                View(
                    "view", size: ImageSize(recipe.data.imageSize), copies: 2,
                    [
                        RandomResizedCrop(scale: 0.5...1), HorizontalFlip(),
                        ColorJitter(brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.2), Grayscale(),
                    ])
            ])
        }
        recipe.provenance = "fovea demo"
        return recipe
    }

    private func train(_ recipe: Recipe, _ images: any ImageDataset, _ folder: RunFolder) throws {
        var options = try machine.trainerOptions()
        options.observer = TerminalProgress(quiet: false)
        options.shouldStop = { Interruption.isRequested }
        let trainer = try Trainer(recipe, dataset: images, folder: folder, options: options)
        try ViewSheet.write(recipe, images, to: folder.file("evaluation/views.png"), method: trainer.method)
        if try trainer.run() == .interrupted { throw ExitCode(130) }
    }

    /// A few labelled images for training, and the test split, or of undivided images another part; nil where the labels
    /// leave nothing to tell apart.
    private func comparison(_ splits: DatasetSplits) throws -> (few: any ImageDataset, test: any ImageDataset, note: String?)? {
        let train = splits.train
        guard train.classNames.count > 1 else { return nil }
        var byClass = [[Int]](repeating: [], count: train.classNames.count)
        for index in Sampler.shuffled(train.count, seed: seed, epoch: 0) {
            if let label = train.label(at: index) { byClass[label].append(index) }
        }
        let few = byClass.flatMap { $0.prefix(splits.test == nil ? min(labels, max(1, $0.count / 2)) : labels) }.sorted()
        if let test = splits.test { return (train.subset(few), test, nil) }
        let used = Set(few)
        let rest = byClass.flatMap { $0 }.filter { !used.contains($0) }.sorted()
        guard !rest.isEmpty else {
            throw TrainingError(
                "no class has more than one image, so none is left to test on: add images, or a test/ folder beside train/, or leave the "
                    + "class folders out")
        }
        let tested = Array(rest.prefix(1000))
        return (
            train.subset(few), train.subset(tested),
            "no test/ folder: tested on the other \(Format.count(tested.count)) labelled images, which pretraining has seen"
        )
    }

    /// The same backbone, trained with the few labels alone until it has long converged.
    private func superviseFromScratch(_ few: any ImageDataset, _ path: String) throws -> Supervised {
        var recipe = try makeRecipe("supervised", few, path)
        recipe.training.batchSize = min(32, few.count)
        recipe.training.learningRate = 0.4
        recipe.training.epochs = max(30, 600 * recipe.training.batchSize / few.count)
        recipe.monitoring.healthImages = 0
        recipe.monitoring.checkpointEveryEpochs = recipe.training.epochs
        var options = try machine.trainerOptions()
        options.rehearses = false
        options.shouldStop = { Interruption.isRequested }
        let trainer = try Trainer(recipe, dataset: few, folder: RunFolder("\(out)/supervised"), options: options)
        if try trainer.run() == .interrupted { throw ExitCode(130) }
        return trainer.method as! Supervised
    }

    private func say(_ line: String) { Terminal.say(line) }
}
