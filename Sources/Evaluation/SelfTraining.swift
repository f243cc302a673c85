public import Backbones
internal import Embeddings
internal import Files
internal import Methods
public import Torch
public import Training
public import Views

/// SimCLRv2's last two steps (Chen et al. 2020, arXiv:2006.10029): the encoder is fine-tuned on few labels, and what came of it
/// teaches a student, of the same or a smaller size, on all images.
///
/// Deviations: SGD with Nesterov momentum and a cosine where the paper has LARS, weight decay and 400 epochs. The paper does not say
/// what a student of the teacher's network begins with; here it is the pretrained weights.
public struct SelfTraining {
    /// Of the teacher: its recipe, and what replaces the recipe's values.
    public var tuning = FineTuneProtocol()
    /// The first layer of the encoder's projector, for recipes that begin there.
    public var head: ProjectionHead?
    /// Of the labels, class-balanced by seed.
    public var share = 0.1
    /// The student's backbone, with new weights; nil for the encoder itself with its pretrained weights (self-distillation).
    public var student: BackboneSettings?
    /// τ of eq. 2; by default the paper's: 0.1 for a student of the teacher's network, 1 for another.
    public var temperature: Double?
    /// 1 − α of eq. 3.
    public var labelWeight = 0.0
    public var epochs = 30
    public var batchSize = 128
    /// For batches of 256 and a temperature of 1.
    public var learningRate = 0.1
    public var seed: UInt64 = 0
    public var loaderThreads = 2
    public var device = Device.cpu
    /// Told what is being done, in a few words.
    public var progress: (String) -> Void = { _ in }
    /// Told of the student's training.
    public var observer: (any TrainingObserver)?

    public init() {}

    /// - Parameters:
    ///   - train: the labelled images; those whose labels are not used are learned from without them.
    ///   - unlabelled: more images for the student.
    ///   - folder: becomes the student's run, with the teacher's in `teacher/`.
    /// - Returns: accuracies on the test images, and the student's difference to the teacher.
    /// - Throws: `EvaluationError`, `TrainingError`, `FileError`.
    public func callAsFunction(
        _ encoder: Encoder, train: any ImageDataset, unlabelled: (any ImageDataset)?, test: any ImageDataset, folder: String
    ) throws -> Evaluator.Outcome {
        guard temperature ?? 1 > 0, (0...1).contains(labelWeight), share > 0, share <= 1, epochs >= 1, batchSize >= 2, learningRate > 0
        else {
            throw EvaluationError("distillation needs a temperature above 0, a label weight and a share of the labels between 0 and 1")
        }
        guard test.classNames == train.classNames else {
            throw EvaluationError(
                "the test images' classes are not those of the training images in the same order: give both in one --data")
        }
        // All that can be refused, before the teacher is trained.
        for taken in [folder, "\(folder)/teacher"] where RunFolder(taken).holdsRun {
            throw EvaluationError("\(taken) already holds a run: choose another --out, or remove it")
        }
        if let student { _ = try BackboneRegistry.make(student, imageSize: encoder.imageSize) }
        let labels = (0..<train.count).map { train.label(at: $0) ?? -1 }
        let rows = LabelDraw.share(share, of: labels, seed: seed)
        let extraction = FeatureExtraction(imageSize: encoder.imageSize, threads: loaderThreads, device: device)
        let tuning = try tuning.tuning(of: labels.count { $0 >= 0 }, seed: seed, extraction)
        progress("teacher: fine-tuning on \(rows.count) labels")
        let few = train.subset(rows)
        let plan = try tuning.chosenPlan(from: encoder, head: head, on: few)
        guard plan.sides.map({ $0.crop == encoder.imageSize }) ?? true else {
            throw EvaluationError(
                "the recipe \(self.tuning.recipe.rawValue) fine-tunes at \(plan.sides!.crop) pixels: choose one at the encoder's size")
        }
        let teacher = try tuning.train(encoder, head, few, plan, folder: "\(folder)/teacher")
        let taught = try tuning.accuracy(of: teacher, on: test, plan)

        progress("student: distillation on \(train.count + (unlabelled?.count ?? 0)) images")
        let known = PartlyLabelledDataset(train, labelled: Set(rows))
        let images: any ImageDataset = unlabelled.map { WithUnlabelledDataset(known, unlabelled: $0) } ?? known
        let methods = MethodRegistry.standard + [MethodEntry(Distillation.self)]
        var options = Trainer.Options()
        options.device = device
        options.loaderThreads = loaderThreads
        options.rehearses = false
        options.observer = observer
        let trainer = try Trainer(
            recipe(from: encoder, teacher: "\(folder)/teacher"), dataset: images, folder: RunFolder(folder), methods: methods,
            options: options)
        let network = trainer.method as! Distillation
        if student == nil { try network.encoder.load(encoder.stateDict) }
        _ = try trainer.run()
        let learned = try tuning.accuracy(of: network, on: test, plan)

        let note = UnseenClasses.note(
            train: (rows.map { labels[$0] }, train.classNames), test: ((0..<test.count).map { test.label(at: $0) ?? -1 }, test.classNames))
        func score(_ correct: [Bool], _ images: Int) -> Score {
            Score("end-to-end", "top-1", split: "test", correct: correct, trainImages: images, note: note)
        }
        let (own, others) = (score(learned, images.count), score(taught, rows.count))
        let outcome = Evaluator.Outcome(
            results: [others.result("teacher"), own.result("student")],
            differences: [own.minus(others, "student", "teacher")].compactMap { $0 },
            unreadable: [])
        try EvaluationFolder("\(folder)/evaluation").writeResults(outcome)
        return outcome
    }

    func recipe(from encoder: Encoder, teacher: String) -> Recipe {
        var settings = Distillation.Settings()
        settings.teacher = teacher
        settings.temperature = temperature ?? (student == nil ? 0.1 : 1)
        settings.labelWeight = labelWeight
        var recipe = Recipe(method: MethodChoice(name: "distillation", settings: settings))
        recipe.backbone = student ?? BackboneRegistry.settled(encoder.settings, imageSize: encoder.imageSize)
        recipe.data.imageSize = encoder.imageSize
        recipe.data.input = encoder.input
        recipe.training.batchSize = batchSize
        recipe.training.epochs = epochs
        recipe.training.optimizer.nesterov = true
        // Logits are divided by τ, and so the gradients grow by 1/τ.
        recipe.training.learningRate = learningRate * min(1, settings.temperature)
        recipe.training.learningRateScaling = .linear
        recipe.training.seed = seed
        recipe.monitoring.healthImages = 0
        recipe.provenance = "fovea distill"
        return recipe
    }
}
