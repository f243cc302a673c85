internal import Backbones
internal import Files
internal import Foundation
public import Methods
public import Torch
public import Views

/// Runs a recipe: one loop for every method, which it knows only by what they declare.
public final class Trainer {
    public struct Options {
        public var device = Device.cpu
        public var loaderThreads = 2
        /// Asked after every step and once more at the end of an epoch; true writes a checkpoint and ends the run early.
        public var shouldStop: () -> Bool = { false }
        /// Pauses the run when so many of its epochs are done, as if it were asked to stop.
        public var lastEpoch: Int?
        public var observer: (any TrainingObserver)?
        /// Measure a few steps first, and tell what the run will take.
        public var rehearses = true

        public init() {}
    }

    public enum Outcome: Equatable, Sendable {
        case finished
        /// Stopped on request; a checkpoint is written.
        case interrupted
    }

    public let recipe: Recipe
    public let folder: RunFolder
    public let method: any SelfSupervisedMethod
    public let dataset: any ImageDataset

    private let options: Options
    private let loader: Loader
    private let phases: [PhaseOptimizer]
    private let scaler: LossScaler
    private let health: HealthMonitor
    private let batchSize: Int
    /// The recipe's, with the batch that is used: of few images it is smaller, and the learning rate scales by it.
    private let training: TrainingSettings
    private let batchesPerEpoch: Int
    private var position = Checkpoint.Position()
    private var sums = EpochSums()
    private var metrics: MetricsTable
    private var events: TensorBoardWriter
    private var clock: RunClock
    /// False for a run that was finished before.
    private var trains = false
    /// Where this process began in the epoch.
    private var firstBatch = 0
    private var nextOrder: [Int]?
    private var isFromAnotherCheckpoint = false

    // MARK: Beginning

    /// Begins a run in an empty or missing folder.
    public convenience init(
        _ recipe: Recipe, dataset: any ImageDataset, folder: RunFolder, methods: MethodRegistry = .standard, options: Options = Options()
    ) throws {
        if folder.holdsRun {
            throw TrainingError(
                "\(folder.path) already holds a run: go on with it by `fovea pretrain --resume \(folder.path)`, or choose another --out")
        }
        try self.init(recipe, dataset, folder, methods, options, resuming: nil)
        try AtomicFile.write(RecipeFile.text(recipe), to: folder.recipe)
        try writeSummary()
    }

    /// Goes on with a run where its checkpoint left it.
    /// - Parameter checkpoint: `last`, `best` or `epoch-N`.
    public convenience init(
        resuming folder: RunFolder, from checkpoint: String = "last", dataset: any ImageDataset, methods: MethodRegistry = .standard,
        options: Options = Options()
    ) throws {
        let file = RecipeFile(methods: methods)
        let recipe = try file.read(folder.recipe)
        folder.removePartialFiles()
        let path = folder.checkpoint(checkpoint)
        guard FileManager.default.fileExists(atPath: path) else {
            let others = folder.checkpoints
            guard checkpoint == "last" else {
                let all = others.isEmpty ? "none yet" : others.joined(separator: ", ")
                throw TrainingError("\(folder.path) has no checkpoint '\(checkpoint)'; it has \(all)")
            }
            // What was trained is never trained again unasked. But a run that is killed between the first epoch's two checkpoints
            // has only `best`, which says the same as `last` would.
            if others == ["best"], !FileManager.default.fileExists(atPath: folder.encoder) {
                options.observer?.says("\(path) is missing: going on from best")
                try self.init(resuming: folder, from: "best", dataset: dataset, methods: methods, options: options)
                return
            }
            guard others.isEmpty else {
                throw TrainingError("\(path) is missing: go on from another checkpoint by --from \(others.joined(separator: " or "))")
            }
            guard !FileManager.default.fileExists(atPath: folder.encoder) else {
                throw TrainingError(
                    "\(path) is missing, and there is no other checkpoint: \(folder.encoder) is whole, but to train on, put the checkpoint "
                        + "back or begin anew in another folder")
            }
            options.observer?.says("the run was ended before its first checkpoint: beginning from its start")
            try self.init(recipe, dataset, folder, methods, options, resuming: nil)
            return
        }
        do {
            let saved = try Checkpoint.read(path)
            if let old = try? file.parse(saved.recipe, source: path),
                let (before, now) = try RecipeComparison.difference(old, recipe)
            {
                throw Checkpoint.Unusable(
                    description: "the checkpoint \(path) is of another recipe (it has '\(before)', and \(folder.recipe) has '\(now)')")
            }
            try self.init(recipe, dataset, folder, methods, options, resuming: saved)
            sayIfThreadsDiffer()
            isFromAnotherCheckpoint = checkpoint != "last"
        } catch let error as Checkpoint.Unusable {
            let others = folder.checkpoints.filter { $0 != checkpoint }
            let remedy =
                others.isEmpty
                ? "there is no other: begin anew in another folder" : "go on from another by --from \(others.joined(separator: " or "))"
            throw TrainingError("\(error); \(remedy)")
        }
    }

    private init(
        _ recipe: Recipe, _ dataset: any ImageDataset, _ folder: RunFolder, _ methods: MethodRegistry, _ options: Options,
        resuming checkpoint: Checkpoint?
    ) throws {
        let entry = try methods.entry(named: recipe.method.name)
        try recipe.validate(entry)
        if entry.card.needsLabels, dataset.classNames.isEmpty {
            throw TrainingError("\(entry.card.title) needs labels, and these images have none: put each class into a folder of its own")
        }
        guard dataset.count >= entry.card.leastBatch else {
            throw TrainingError(
                "\(entry.card.title) needs at least \(entry.card.leastBatch) images, and there are \(dataset.count): give it more")
        }
        if checkpoint == nil, entry.card.needsClips, Self.isPicture(0, of: dataset) {
            options.observer?.says("these are pictures, which to \(entry.card.title) are clips that stand still: open a ClipDataset")
        }
        if recipe.training.precision == .float16, options.device == .cpu {
            throw TrainingError("training.precision float16 needs a GPU: choose float32 or bfloat16 on the CPU")
        }
        self.recipe = recipe
        self.folder = folder
        self.dataset = dataset
        self.options = options
        clock = RunClock(after: checkpoint == nil ? nil : folder.timingSummary)

        Runtime.prepare()
        Runtime.seed(recipe.training.seed)
        method = try entry.make(
            recipe.method.settings,
            MethodContext(
                backbone: recipe.backbone, input: recipe.data.input, imageSize: recipe.data.imageSize, sampleCount: dataset.count,
                classCount: dataset.classNames.count))
        guard recipe.training.batchSize >= method.leastBatch, dataset.count >= method.leastBatch else {
            throw TrainingError(
                "with these settings \(entry.card.title) needs batches of at least \(method.leastBatch) images: "
                    + (recipe.training.batchSize < method.leastBatch
                        ? "raise training.batchSize (\(recipe.training.batchSize))" : "give it more than \(dataset.count) images"))
        }
        method.move(to: options.device)
        method.train()

        let maker = try entry.views(recipe.method.settings, imageSize: recipe.data.imageSize, replacing: recipe.views)
        if let needed = (maker as? any ClipViewMaker)?.leastFrames, let longest = Self.longestClip(of: dataset), longest < needed {
            throw TrainingError(
                "the clips have \(longest) frames at most, and with these settings \(entry.card.title) needs \(needed): make method.stride, "
                    + "method.frames or method.rates smaller, or give it longer clips")
        }
        if let least = maker.outputs.compactMap({ $0.imageSize.map { min($0.width, $0.height) } }).min() {
            try BackboneRegistry.require(recipe.backbone, imageSize: recipe.data.imageSize, toSee: least)
        }
        loader = Loader(
            dataset: dataset, maker: maker, seed: recipe.training.seed, threads: options.loaderThreads,
            cacheBytes: recipe.data.cacheMegabytes << 20)
        batchSize = min(recipe.training.batchSize, dataset.count)
        batchesPerEpoch = dataset.count / batchSize
        var training = recipe.training
        training.batchSize = batchSize
        self.training = training
        phases = method.phases.map { PhaseOptimizer($0, recipe.training) }
        scaler = LossScaler(recipe.training.precision)
        health = HealthMonitor(recipe, dataset: dataset, views: maker, options: options, hasPairs: entry.card.hasPositivePairs)

        let dataChecksum = Self.checksum(of: dataset)
        if let checkpoint {
            position = checkpoint.position
            guard position.sampleCount == dataset.count, position.classCount == dataset.classNames.count else {
                throw TrainingError(
                    "the run was begun with \(position.sampleCount) images of \(position.classCount) classes, and now there are "
                        + "\(dataset.count) of \(dataset.classNames.count): put the images back as they were, or begin another run")
            }
            guard position.dataChecksum == dataChecksum else {
                throw TrainingError(
                    "the images have other names or labels than those that the run was begun with: put them back as they were, "
                        + "or begin another run")
            }
            metrics = MetricsTable(folder.metrics, epochs: position.epoch)
            events = try TensorBoardWriter(folder.tensorBoard, keeping: position.tensorBoardBytes)
            try restore(checkpoint)
        } else {
            position.sampleCount = dataset.count
            position.classCount = dataset.classNames.count
            position.dataChecksum = dataChecksum
            metrics = MetricsTable(folder.metrics)
            events = try TensorBoardWriter(folder.tensorBoard)
            if batchSize < recipe.training.batchSize {
                let rate = training.learningRateScaling == .none ? "" : ", and the learning rate is scaled by these"
                options.observer?.says(
                    "there are only \(dataset.count) images: batches of \(batchSize) instead of \(recipe.training.batchSize)\(rate)")
            }
        }
    }

    /// Frames of the longest of a few clips; nil where there are only pictures.
    private static func longestClip(of dataset: any ImageDataset) -> Int? {
        let tried = min(64, dataset.count)
        return (0..<tried).compactMap { (try? dataset.clip(at: $0 * dataset.count / tried))?.count }.max()
    }

    /// Nil is said of pictures alone: what cannot be read may be a clip.
    private static func isPicture(_ index: Int, of dataset: any ImageDataset) -> Bool {
        do { return try dataset.clip(at: index) == nil } catch { return false }
    }

    // MARK: The loop

    /// Trains to the end of the recipe, or until it is told to stop.
    public func run() throws -> Outcome {
        trains = position.epoch < recipe.training.epochs
        firstBatch = position.batch
        // From now on this is where the run stands, whatever `last` was.
        if isFromAnotherCheckpoint { try save("last") }
        if trains {
            let forecast = options.rehearses ? try rehearse() : nil
            options.observer?.begins(plan(forecast))
        }
        if position.step == 0, position.epoch == 0 { try method.prepareRun(services) }
        clock.start(step: position.step)

        // Whoever asks the question may forget its answer.
        var stops = false
        while position.epoch < recipe.training.epochs {
            if position.batch == 0 {
                try method.prepareEpoch(position.epoch, services)
                position.order = try usable(nextOrder)
                nextOrder = nil
                sums = EpochSums()
                firstBatch = 0
                clock.startEpoch()
            }
            let order = position.order ?? Sampler.shuffled(dataset.count, seed: recipe.training.seed, epoch: position.epoch)
            let batches = loader.epoch(position.epoch, order: order, batchSize: batchSize, startingAt: position.batch)
            while let pixels = batches.next() {
                if pixels.count >= method.leastBatch { try step(Batch(pixels, on: options.device)) }
                // Batches of which nothing could be read are passed over.
                position.imagesSeen += (pixels.number + 1 - position.batch) * batchSize
                position.batch = pixels.number + 1
                stops = stops || options.shouldStop()
                if stops, position.batch < batches.batchCount {
                    try save("last")
                    return .interrupted
                }
                if clock.minutesSinceCheckpoint >= recipe.monitoring.checkpointEveryMinutes { try save("last") }
            }
            position.imagesSeen += (batches.batchCount - position.batch) * batchSize
            let isSaved = try endEpoch()
            stops = stops || options.shouldStop() || position.epoch == options.lastEpoch
            if stops, position.epoch < recipe.training.epochs {
                if !isSaved { try save("last") }
                return .interrupted
            }
        }
        try finish()
        return .finished
    }

    /// Gradients, optimiser, averages: once for each phase.
    private func step(_ batch: Batch) throws {
        let rate = learningRate
        let isMeasured = (position.step + 1).isMultiple(of: recipe.monitoring.logEverySteps) || position.batch == 0
        for (index, phase) in phases.enumerated() {
            let step = self.step(phase: index)
            for _ in 0..<phase.phase.repeats {
                let losses = backward(batch, step)
                let parameters = phase.optimizer.parameters
                let isUsable = scaler.unscale(parameters)
                method.beforeOptimizerStep(step)
                let norm =
                    recipe.training.clipGradientNorm.map { Gradients.clip(parameters, norm: $0) }
                    ?? (isMeasured ? Gradients.norm(parameters) : nil)
                if isUsable {
                    phase.step(
                        learningRate: rate, peak: training.scaledLearningRate, weightDecay: training.weightDecaySchedule.map(step.value))
                }
                sums.add(losses, phase: phases.count > 1 ? phase.phase.name : nil)
                if isMeasured { try measure(losses, norm ?? nil, rate, phases.count > 1 ? phase.phase.name : nil) }
            }
        }
        let step = self.step(phase: 0)
        method.movingAverages.forEach { $0.update(step) }
        withoutGradients { method.afterStep(batch, step) }
        position.step += 1
    }

    private func backward(_ batch: Batch, _ step: Step) -> Losses {
        method.clearGradients()
        let type = recipe.training.precision.autocastType
        let losses = Recomputation.$current.withValue(recipe.training.recompute ?? .large) {
            autocast(type, on: options.device) { method.loss(batch, step) }
        }
        scaler.scaled(losses.total).backward()
        return losses
    }

    private func step(phase: Int) -> Step {
        Step(epoch: position.epoch, index: position.step, total: totalSteps, phase: phase)
    }

    /// Where the run stands.
    var done: (epochs: Int, batches: Int) { (position.epoch, position.batch) }

    private var totalSteps: Int { recipe.training.epochs * batchesPerEpoch }
    private var learningRate: Double { training.rateSchedule.value(at: position.step, of: totalSteps) }

    /// The only place in an epoch where the device is waited for.
    private func measure(_ losses: Losses, _ norm: Tensor?, _ rate: Double, _ phase: String?) throws {
        let loss = losses.total.item
        let gradientNorm = norm?.item
        if let gradientNorm { sums.add(gradientNorm: gradientNorm) }
        let tag = phase.map { "train/\($0)" } ?? "train"
        try events.write(
            [("\(tag)/loss", loss), ("\(tag)/learning_rate", rate), ("\(tag)/gradient_norm", gradientNorm)], step: position.step + 1)
        if !loss.isFinite {
            try reactToNonFinite("the loss is")
        } else if gradientNorm?.isFinite == false, recipe.training.precision != .float16 {
            // Loss scaling leaves such a step out.
            try reactToNonFinite("the gradient is")
        }
        clock.tick(step: position.step + 1)
        let perSecond = clock.stepsPerSecond
        options.observer?.advances(
            TrainingProgress(
                epoch: position.epoch, epochs: recipe.training.epochs, batch: position.batch + 1, batches: batchesPerEpoch, loss: loss,
                learningRate: rate, imagesPerSecond: perSecond * Double(batchSize),
                secondsLeft: perSecond > 0 ? Double(totalSteps - position.step - 1) / perSecond : 0))
    }

    private func reactToNonFinite(_ what: String) throws {
        let message =
            "\(what) no longer finite at step \(position.step + 1) (learning rate \(String(format: "%.4g", learningRate))): "
            + "try a smaller training.learningRate, a longer training.warmUpEpochs, or training.clipGradientNorm=1"
        switch recipe.monitoring.onNonFinite {
        case .ignore: break
        case .warn: options.observer?.says(message)
        case .stop:
            let isSaved = FileManager.default.fileExists(atPath: folder.lastCheckpoint)
            throw TrainingError(message + (isSaved ? "; the last good checkpoint is \(folder.lastCheckpoint)" : ""), isDivergence: true)
        }
    }

    /// Keeps what is no longer a number out of checkpoints and evaluation; not every step is measured.
    private func checkFinite() throws {
        guard recipe.monitoring.onNonFinite == .stop else { return }
        if !sums.isFinite { try reactToNonFinite("the loss is") }
        let sizes = withoutGradients { method.parameters.map { $0.value.detached().abs().max().to(.float32) } }
        if !sizes.isEmpty, !Tensor.stacked(sizes).sum().item.isFinite { try reactToNonFinite("a weight is") }
    }

    // MARK: The end of an epoch

    /// - Returns: whether `last` was written.
    private func endEpoch() throws -> Bool {
        try checkReadable()
        try checkFinite()
        var row: [(name: String, value: Double?)] = [
            ("epoch", Double(position.epoch + 1)), ("step", Double(position.step)), ("learning_rate", learningRateBefore),
        ]
        row += sums.means
        let report = try health.read(method, epoch: position.epoch)
        if !report.isFinite { try reactToNonFinite("the representation is") }
        row += report.metrics
        try metrics.append(row)
        try events.write(row.filter { !["epoch", "step"].contains($0.name) }.map { ("epoch/\($0.name)", $0.value) }, step: position.step)
        try JSONFile.write(report.verdict, to: folder.health)

        position.epoch += 1
        position.batch = 0
        position.order = nil
        let loss = row.first { $0.name == "loss" }?.value
        let isBest = update(best: health.measuresNeighbours ? report.score : loss.map { -$0 })
        // `last` comes last: whoever is killed in between does this epoch's end again, the others included.
        if isBest { try save("best") }
        let keep = recipe.monitoring.keepEveryEpochs
        if keep > 0, position.epoch.isMultiple(of: keep) { try save("epoch-\(position.epoch)") }
        let isLast = position.epoch == recipe.training.epochs
        let isSaved = isLast || position.epoch.isMultiple(of: recipe.monitoring.checkpointEveryEpochs)
        if isSaved { try save("last") }

        let timing = clock.endEpoch(images: (batchesPerEpoch - firstBatch) * batchSize)
        try clock.append(to: folder.timing, epoch: position.epoch, timing)
        options.observer?.endsEpoch(
            EpochSummary(
                epoch: position.epoch - 1, epochs: recipe.training.epochs, seconds: timing.seconds,
                imagesPerSecond: timing.imagesPerSecond, metrics: row))
        try react(to: report.verdict)
        return isSaved
    }

    /// Of the last step that was taken.
    private var learningRateBefore: Double {
        training.rateSchedule.value(at: max(position.step - 1, 0), of: totalSteps)
    }

    private func update(best score: Double?) -> Bool {
        guard let score, score.isFinite, score > position.best ?? -.infinity else { return false }
        position.best = score
        return true
    }

    private func react(to verdict: HealthVerdict) throws {
        guard verdict.status != .ok, let message = verdict.messages.first else { return }
        switch recipe.monitoring.onCollapse {
        case .ignore: break
        case .warn: options.observer?.says(message)
        case .stop:
            if verdict.status == .collapsed { throw TrainingError("\(message); stopped, as monitoring.onCollapse says") }
            options.observer?.says(message)
        }
    }

    /// Ends a run that reads too little of its data; lists what it could not read.
    private func checkReadable() throws {
        let entries = loader.unreadable.entries
        position.unreadable = entries.map { Checkpoint.UnreadableImage(index: $0.index, reason: $0.reason) }
        guard !entries.isEmpty else { return }
        try AtomicFile.write(
            CSV.write([["name", "reason"]] + entries.map { [$0.name, $0.reason] }, lineEnding: "\n"), to: folder.unreadable)
        let seen = min(position.imagesSeen, dataset.count)
        guard Double(entries.count) > recipe.data.unreadableShare * Double(seen) else { return }
        throw TrainingError(
            "\(entries.count) of \(seen) images cannot be read, more than data.unreadableShare (\(recipe.data.unreadableShare)) allows; "
                + "\(folder.unreadable) lists them with reasons")
    }

    private func finish() throws {
        method.eval()
        try EncoderFile.write(method.encoder, to: folder.encoder)
        if let projector = method.projector { try Safetensors.write(projector.stateDict, to: folder.projector) }
        if let state = method.classifierState { try Safetensors.write(state, to: folder.classifier) }
        try writePictures()
        try writeSummary()
        if trains { try JSONFile.write(clock.summary, to: folder.timingSummary) }
        sayWhatWasLeftOut()
    }

    private func writePictures() throws {
        let images = dataset.subset(evenSample(of: dataset.count, min(dataset.count, 12)))
        let extraction = FeatureExtraction(imageSize: recipe.data.imageSize, threads: 0, device: .cpu)
        // Without one that can be read there is nothing to show.
        guard let pixels = try? extraction(images, { $0 }).rows else { return }
        try PictureWriter.write(method, pixels.to(.uint8).to(options.device), seed: recipe.training.seed, to: folder)
    }

    private func sayWhatWasLeftOut() {
        func count(_ number: Int, _ things: String) -> String { "\(number) \(things)\(number == 1 ? "" : "s")" }
        var notes: [String] = []
        let unreadable = loader.unreadable.count
        if unreadable > 0 {
            notes.append(
                "\(count(unreadable, "image")) could not be read and \(unreadable == 1 ? "was" : "were") left out: "
                    + "\(folder.unreadable) says why")
        }
        if let ignored = (dataset as? FolderDataset)?.ignoredFiles, ignored > 0 {
            notes.append("\(count(ignored, "other file")) among the images \(ignored == 1 ? "was" : "were") ignored")
        }
        if !notes.isEmpty { options.observer?.says(notes.joined(separator: "; ")) }
    }

    // MARK: Checkpoints

    private func save(_ name: String) throws {
        try checkFinite()
        let entries = loader.unreadable.entries
        position.unreadable = entries.map { Checkpoint.UnreadableImage(index: $0.index, reason: $0.reason) }
        events.synchronize()
        position.tensorBoardBytes = events.byteCount
        var tensors: StateDict = [:]
        func add(_ state: StateDict, _ prefix: String) {
            for (key, tensor) in state { tensors[prefix + key] = tensor }
        }
        add(method.stateDict, "method.")
        for phase in phases { add(phase.optimizer.state, "optimizer.\(phase.phase.name).") }
        add(scaler.state, "scaler.")
        add(["cpu": Runtime.generatorState()], "generator.")
        if case .cuda = options.device { add(["device": Runtime.generatorState(options.device)], "generator.") }
        if position.batch > 0 { add(sums.state, "sum.") }
        try Checkpoint(position: position, recipe: RecipeFile.text(recipe), tensors: tensors).write(to: folder.checkpoint(name))
        clock.noteCheckpoint()
        // For the process that goes on from here.
        if name == "last", trains { try JSONFile.write(clock.summary, to: folder.timingSummary) }
    }

    private func restore(_ checkpoint: Checkpoint) throws {
        do {
            try method.load(checkpoint.state("method."))
            for phase in phases { try phase.optimizer.load(checkpoint.state("optimizer.\(phase.phase.name).")) }
        } catch let mismatch {
            throw Checkpoint.Unusable(description: "the checkpoint in \(folder.path) is not one of this recipe: \(mismatch)")
        }
        scaler.load(checkpoint.state("scaler."))
        sums = EpochSums(checkpoint.state("sum."), on: options.device)
        try restoreGenerator(checkpoint.tensors["generator.cpu"], of: .cpu)
        // A run that moves from the CPU to a GPU has no state of the GPU's.
        if case .cuda = options.device, let state = checkpoint.tensors["generator.device"] {
            try restoreGenerator(state, of: options.device)
        }
        loader.unreadable.restore(position.unreadable.map { .init(index: $0.index, name: dataset.name(at: $0.index), reason: $0.reason) })
    }

    /// libtorch traps on a state that is none.
    private func restoreGenerator(_ state: Tensor?, of device: Device) throws {
        let current = Runtime.generatorState(device)
        guard let state, state.shape == current.shape, state.dataType == current.dataType else {
            throw Checkpoint.Unusable(
                description:
                    "the checkpoint in \(folder.path) has \(state.map { "a random generator of \($0.summary)" } ?? "no random generator"), "
                    + "and this libtorch's is \(current.summary)")
        }
        Runtime.setGeneratorState(state, of: device)
    }

    // MARK: Around the loop

    /// Of all names and labels, or, of very many images, of evenly chosen ones.
    private static func checksum(of dataset: any ImageDataset) -> String {
        var checksum = Checksum()
        dataset.classNames.forEach { checksum.add($0) }
        for index in stride(from: 0, to: dataset.count, by: max(1, dataset.count / 100_000)) {
            checksum.add(dataset.name(at: index))
            checksum.add(dataset.label(at: index) ?? -1)
        }
        return checksum.text
    }

    /// An order that a method set, looked over: its indices are not ours.
    private func usable(_ order: [Int]?) throws -> [Int]? {
        guard let order else { return nil }
        guard order.count >= batchSize, order.allSatisfy({ $0 >= 0 && $0 < dataset.count }) else {
            throw TrainingError(
                "\(type(of: method).card.title) set an order of \(order.count) images for epoch \(position.epoch + 1): it needs at least a "
                    + "batch (\(batchSize)), of indices below \(dataset.count)")
        }
        return order
    }

    private var services: any RunServices { TrainerServices(trainer: self) }

    /// What `RunServices` does, on the trainer's own parts.
    private struct TrainerServices: RunServices {
        let trainer: Trainer

        var sampleCount: Int { trainer.dataset.count }
        var batchSize: Int { trainer.batchSize }
        var labels: [Int] { (0..<sampleCount).map { trainer.dataset.label(at: $0) ?? -1 } }

        func features(_ body: (Tensor) -> Tensor) throws -> Tensor {
            let extraction = FeatureExtraction(
                imageSize: trainer.recipe.data.imageSize, threads: trainer.options.loaderThreads, device: trainer.options.device)
            let found = try trainer.method.evaluating { try extraction(trainer.dataset, body) }
            guard found.indices.count < sampleCount else { return found.rows }
            let all = Tensor.zeros([sampleCount] + found.rows.shape.dropFirst())
            all.indexCopyInPlace(0, Tensor(found.indices), found.rows)
            return all
        }

        func setOrder(_ indices: [Int]) { trainer.nextOrder = indices }

        func resetOptimizerState(of module: Module) {
            for phase in trainer.phases { phase.optimizer.forget(module.parameters) }
        }
    }

    private func rehearse() throws -> TrainingPlan.Forecast? {
        let sample = evenSample(of: dataset.count, min(dataset.count, max(64, batchSize)))
        // With a loader of its own: what this one could not read depends on how far it came.
        let loader = Loader(dataset: dataset, maker: self.loader.maker, seed: recipe.training.seed, threads: options.loaderThreads)
        let rehearsal = try Rehearsal(method, batchSize: batchSize, on: options.device) { count in
            let batches = loader.epoch(position.epoch, order: sample, batchSize: min(count, sample.count), dropLast: false)
            return batches.next().flatMap { $0.count >= method.leastBatch ? Batch($0, on: options.device) : nil }
        } step: { batch in
            for index in phases.indices { _ = backward(batch, step(phase: index)).total.item }
        }
        let unreadable = loader.unreadable.entries
        if unreadable.count == sample.count {
            throw TrainingError("none of the \(sample.count) images tried can be read (first: \(unreadable[0]))")
        }
        let steps = totalSteps - position.step
        let memory = ProcessMemory.physical
        if memory > 0, rehearsal.bytes > memory {
            options.observer?.says(
                "the run may need \(rehearsal.bytes >> 20) MB and this machine has \(memory >> 20) MB: consider a smaller training.batchSize"
                    + (recipe.training.recompute == .all ? "" : ", or training.recompute=all for a ResNet on the CPU"))
        }
        return .init(seconds: rehearsal.secondsPerStep * Double(steps), bytes: rehearsal.bytes)
    }

    private func evenSample(of total: Int, _ count: Int) -> [Int] { (0..<count).map { $0 * total / count } }

    private func plan(_ forecast: TrainingPlan.Forecast?) -> TrainingPlan {
        TrainingPlan(
            method: type(of: method).card.title, backbone: recipe.backbone.name, parameters: method.encoder.parameterCount,
            images: dataset.count, epochs: recipe.training.epochs, stepsPerEpoch: batchesPerEpoch, batchSize: batchSize,
            device: options.device.description, forecast: forecast, firstEpoch: position.epoch)
    }

    /// Sums are divided among threads: with another number their last digits differ.
    private func sayIfThreadsDiffer() {
        let threads = Runtime.threads
        guard options.device == .cpu, let before = folder.savedSummary?.threads, before != threads else { return }
        options.observer?.says(
            "begun with \(before) threads, this goes on with \(threads): only with --threads \(before) is the result the uninterrupted run's to the "
                + "last digit")
    }

    private func writeSummary() throws {
        let card = type(of: method).card
        try JSONFile.write(
            RunSummary(
                fovea: FoveaVersion.current, method: card.name, paper: card.paper, backbone: recipe.backbone.name,
                parameters: method.encoder.parameterCount,
                dataset: .init(
                    name: recipe.data.path.map { ($0 as NSString).lastPathComponent } ?? "images", images: dataset.count,
                    unreadable: loader.unreadable.count, classes: dataset.classNames.count),
                epochs: recipe.training.epochs, batchSize: batchSize, imageSize: recipe.data.imageSize,
                device: options.device.description, threads: Runtime.threads, libtorch: Runtime.version,
                seed: Int(truncatingIfNeeded: recipe.training.seed)),
            to: folder.summary)
    }
}

extension TrainingSettings.Precision {
    /// What autocast computes in; nil for none.
    var autocastType: DataType? {
        switch self {
        case .float32: nil
        case .bfloat16: .bfloat16
        case .float16: .float16
        }
    }
}
