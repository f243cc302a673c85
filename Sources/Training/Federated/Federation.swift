internal import Backbones
internal import Files
internal import Foundation
public import Methods
internal import Torch
public import Views

/// Federated pretraining over simulated sites, for any method: FedAvg (McMahan et al. 2017, arXiv:1602.05629, algorithm 1) around the
/// trainer, with all sites in every round.
///
///     w ← Σ_k n_k / n · w_k        w_k: after E epochs from w on the n_k images of site k
///
/// What travels are the weights, moving averages among them, and the statistics of batch normalisation. What the optimisers know stays
/// at the site, as does what belongs to its own samples (queues, memory banks, centres). A site is an ordinary run in
/// `sites/N`, of rounds × E epochs with the recipe's schedule over all of them, that pauses at the end of every round; a federation
/// that was broken off goes on where its sites stand, to the same bytes.
public struct Federation {
    public struct Settings: Codable, Equatable, Sendable {
        public var sites = 4
        /// Of the Dirichlet distribution that divides each class among the sites.
        public var alpha = 0.5
        public var rounds = 10
        /// E
        public var localEpochs = 1
        public var splitSeed: UInt64 = 0

        public init() {}

        func validate() throws(RecipeError) {
            func require(_ holds: Bool, _ message: String) throws(RecipeError) { if !holds { throw RecipeError(message) } }
            try require((2...1000).contains(sites), "--sites must be 2 to 1000, not \(sites)")
            try require(
                alpha > 0 && alpha.isFinite, "--alpha must be above 0, not \(alpha): about 0.1 for sites that differ, 100 for alike ones")
            try require((1...1_000_000).contains(rounds), "--rounds must be 1 to 1000000, not \(rounds)")
            try require(localEpochs >= 1, "--local-epochs must be at least 1, not \(localEpochs)")
        }
    }

    /// What is done, in `federation.json`.
    public struct State: Codable, Equatable, Sendable {
        public internal(set) var settings: Settings
        /// Images of each site.
        public internal(set) var images: [Int]
        /// Rounds that are averaged.
        public internal(set) var rounds = 0
        /// Of the weights that a site sends, and receives, in a round.
        public internal(set) var bytesPerTransfer = 0

        /// Bytes sent and received by all sites so far.
        public var bytesExchanged: Int { 2 * images.count * rounds * bytesPerTransfer }
    }

    public enum Ending: Sendable {
        case finished(State)
        /// Stopped on request; all is saved.
        case interrupted(State)
    }

    public let folder: String
    public var methods = MethodRegistry.standard
    public var options = Trainer.Options()
    /// Told what is being done, in a few words.
    public var progress: (String) -> Void = { _ in }
    private let settings: Settings

    public init(_ settings: Settings, folder: String) throws {
        try settings.validate()
        self.settings = settings
        self.folder = folder
    }

    /// A site's recipe: the given one with the rounds' epochs.
    public func siteRecipe(_ recipe: Recipe) -> Recipe {
        var own = recipe
        own.training.epochs = settings.rounds * settings.localEpochs
        return own
    }

    /// The images of each site.
    /// - Throws: when they are too few.
    public func sites(of dataset: any ImageDataset, _ recipe: Recipe) throws -> [SubsetDataset] {
        let least = max(2, try methods.entry(named: recipe.method.name).card.leastBatch)
        guard
            let parts = DirichletSplit.parts(
                of: dataset, sites: settings.sites, alpha: settings.alpha, least: least, seed: settings.splitSeed)
        else {
            throw TrainingError(
                "\(dataset.count) images cannot be divided among \(settings.sites) sites of at least \(least) with --alpha "
                    + "\(settings.alpha): give more images, fewer --sites or a larger --alpha")
        }
        return parts.map { dataset.subset($0) }
    }

    /// Trains what is not trained yet, and leaves the encoder of the last round's average in the folder.
    /// - Parameter recipe: its epochs are replaced by rounds × local epochs.
    public func run(_ recipe: Recipe, dataset: any ImageDataset) throws -> Ending {
        let recipe = siteRecipe(recipe)
        let sites = try sites(of: dataset, recipe)
        var state = try begin(recipe, sites)
        let total = Double(sites.reduce(0) { $0 + $1.count })
        while state.rounds < settings.rounds {
            var sum: StateDict = [:]
            for (index, images) in sites.enumerated() {
                progress("round \(state.rounds + 1) of \(settings.rounds), site \(index + 1) of \(sites.count): \(images.count) images")
                guard let method = try train(site: index, images, recipe, round: state.rounds) else { return .interrupted(state) }
                let own = Self.shared(method)
                guard sum.isEmpty || sum.mapValues(\.shape) == own.mapValues(\.shape) else {
                    throw TrainingError("\(type(of: method).card.title) has other networks at each site, which cannot be averaged")
                }
                for (key, tensor) in own {
                    let weighted = withoutGradients { tensor.to(.cpu).to(.float64) * (Double(images.count) / total) }
                    sum[key] = sum[key].map { $0 + weighted } ?? weighted
                }
                state.bytesPerTransfer = own.values.reduce(0) { $0 + $1.count * $1.dataType.size }
                if index == sites.count - 1 {
                    for (key, tensor) in own { sum[key] = sum[key]!.to(tensor.dataType) }
                    if state.rounds + 1 == settings.rounds { try finish(method, sum) }
                }
            }
            // The average first: whoever is killed in between does this round's averaging again.
            try Safetensors.write(sum, to: average(after: state.rounds + 1))
            state.rounds += 1
            try JSONFile.write(state, to: stateFile)
            try? FileManager.default.removeItem(atPath: average(after: state.rounds - 1))
            if options.shouldStop(), state.rounds < settings.rounds { return .interrupted(state) }
        }
        return .finished(state)
    }

    private var stateFile: String { "\(folder)/federation.json" }
    private func average(after round: Int) -> String { "\(folder)/average-\(round).safetensors" }

    private func begin(_ recipe: Recipe, _ sites: [SubsetDataset]) throws -> State {
        let fresh = State(settings: settings, images: sites.map(\.count))
        let run = RunFolder(folder)
        guard let bytes = FileManager.default.contents(atPath: stateFile) else {
            guard !run.holdsRun else { throw RecipeError("\(folder) holds a run that is no federation: give another --out") }
            try AtomicFile.write(RecipeFile.text(recipe), to: run.recipe)
            try JSONFile.write(fresh, to: stateFile)
            return fresh
        }
        guard let state = try? JSONDecoder().decode(State.self, from: bytes), state.settings == settings, state.images == fresh.images,
            try RecipeFile.text(RecipeFile(methods: methods).read(run.recipe)) == RecipeFile.text(recipe)
        else { throw RecipeError("\(folder) holds a federation of another recipe, data or settings: give another --out") }
        return state
    }

    /// One site's part of a round.
    /// - Returns: its method afterwards; nil when it was asked to stop.
    private func train(site: Int, _ images: SubsetDataset, _ recipe: Recipe, round: Int) throws -> (any SelfSupervisedMethod)? {
        let run = RunFolder("\(folder)/sites/\(site + 1)")
        var options = options
        options.rehearses = false
        options.lastEpoch = (round + 1) * settings.localEpochs
        let trainer =
            try run.holdsRun
            ? Trainer(resuming: run, dataset: images, methods: methods, options: options)
            : Trainer(recipe, dataset: images, folder: run, methods: methods, options: options)
        let done = trainer.done
        guard done.epochs < options.lastEpoch! else { return trainer.method }
        // Whoever was broken off in this round has begun from the average already.
        if done.epochs == round * settings.localEpochs, done.batches == 0 {
            if round > 0 {
                try Self.load(Safetensors.read(average(after: round)).tensors, into: trainer.method)
            } else if site == 0 {
                try Safetensors.write(Self.shared(trainer.method), to: average(after: 0))
            } else {
                // The seed is the same, but what a method draws before its networks may go by the number of its images.
                try Self.load(Safetensors.read(average(after: 0)).tensors, into: trainer.method)
            }
        }
        _ = try trainer.run()
        return trainer.done.epochs == options.lastEpoch! ? trainer.method : nil
    }

    /// What travels: parameters, and the statistics of batch normalisation.
    static func shared(_ method: any SelfSupervisedMethod) -> StateDict {
        var state: StateDict = [:]
        for (key, parameter) in method.namedParameters { state[key] = parameter.value.detached() }
        for (key, buffer) in method.namedBuffers where key.hasSuffix("running_mean") || key.hasSuffix("running_var") {
            state[key] = buffer.value
        }
        return state
    }

    private static func load(_ state: StateDict, into method: any SelfSupervisedMethod) throws {
        do {
            let own = method.stateDict
            guard state.allSatisfy({ own[$0.key]?.shape == $0.value.shape }) else {
                throw TrainingError(
                    "\(type(of: method).card.title) has other networks at each site, as it has an output for every image or the like: they "
                        + "cannot be averaged")
            }
            try method.load(state) { state[$0] == nil }
        } catch let error as TrainingError { throw error } catch {
            throw TrainingError("the average of the sites does not fit the method: \(error)")
        }
    }

    private func finish(_ method: any SelfSupervisedMethod, _ average: StateDict) throws {
        try Self.load(average, into: method)
        method.eval()
        let run = RunFolder(folder)
        try EncoderFile.write(method.encoder, to: run.encoder)
        if let projector = method.projector { try Safetensors.write(projector.stateDict, to: run.projector) }
        if let state = method.classifierState { try Safetensors.write(state, to: run.classifier) }
    }
}
