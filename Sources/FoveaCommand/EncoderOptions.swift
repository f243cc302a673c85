import ArgumentParser
import Fovea
import Foundation

/// Which encoder.
struct EncoderOptions: ParsableArguments {
    @Argument(help: "A run's folder, or a weights file (.safetensors).", completion: .file())
    var source: String

    @OptionGroup var weights: WeightsOptions

    @Option(
        help: "Of a run with --keep-every, the checkpoint that is best without labels: by rankme, lidar, alphareq, uniformity, …")
    var select: String?

    @Option(
        name: .customLong("images"), help: "The images that --select measures with; those that the run was trained on by default.",
        completion: .file())
    var selectImages: String?

    func validate() throws {
        if selectImages != nil, select == nil { throw ValidationError("--images says nothing without --select") }
    }

    /// The encoder and what to call it in tables.
    func load(on device: Device) throws -> (Encoder, String) {
        guard let select else { return try weights.load(source, on: device) }
        let (encoder, checkpoint) = try CheckpointChoice.encoder(source, by: select, images: selectImages, on: device, loaders: 2)
        let method = try RecipeFile().read(RunFolder(source).recipe).method.name
        return (encoder, "\(method) \(checkpoint)")
    }

    /// The head that `simclrv2` begins in.
    func head(of encoder: Encoder) throws -> ProjectionHead {
        if let select {
            throw ValidationError("--select \(select): a run keeps the projection head of its last epoch only: leave it out for simclrv2")
        }
        return try WeightsOptions.head(source, of: encoder)
    }
}

/// What a weights file may not say.
struct WeightsOptions: ParsableArguments {
    @Option(help: "The backbone of a weights file that does not say it.")
    var backbone: String?

    @Option(help: "Channels of that backbone's first stage (64).")
    var width: Int?

    @Option(help: "The side of the images that the weights file was trained on (224).")
    var imageSize: Int?

    func load(_ source: String, on device: Device) throws -> (Encoder, String) {
        let folder = RunFolder(source)
        let given = [("--backbone", backbone != nil), ("--width", width != nil), ("--image-size", imageSize != nil)].filter(\.1).map(\.0)
        if let option = given.first {
            guard !folder.holdsRun else {
                throw ValidationError(
                    "\(option): the run \(source) says itself what its encoder is: leave \(given.joined(separator: ", ")) out")
            }
            if backbone == nil { throw ValidationError("\(option) says nothing without --backbone") }
        }
        let encoder = try Encoder.load(
            source, backbone: backbone.map { BackboneSettings($0, width: width ?? 64) }, imageSize: imageSize ?? 224, on: device)
        // A program's own method has no entry here, and its run still has a name.
        let method = folder.holdsRun ? (try? RecipeFile().read(folder.recipe))?.method.name ?? folder.methodName : nil
        let name = method ?? (source as NSString).lastPathComponent
        return (encoder, name)
    }

    static func head(_ source: String, of encoder: Encoder) throws -> ProjectionHead {
        let file = RunFolder(source).projector
        guard RunFolder(source).holdsRun, FileManager.default.fileExists(atPath: file) else {
            throw ValidationError("the recipe simclrv2 begins in the projection head, and \(source) is no finished run that keeps one")
        }
        do { return try ProjectionHead(try Safetensors.read(file).tensors, inputs: encoder.outputWidth) } catch {
            throw ValidationError("\(source): \(error): choose another finetune.recipe")
        }
    }
}

/// Which labelled images.
struct LabelledOptions: ParsableArguments {
    @Option(help: "Labelled images: a folder of one folder per class, a CSV list of path,label, or a packed set.", completion: .file())
    var data: String

    @Option(help: "Labelled images to test on, when they are not in --data; of a divided set its test part.", completion: .file())
    var test: String?

    @Option(help: "A text file that names the training images to use, one to a line, such as the published subsets.", completion: .file())
    var subset: String?

    @OptionGroup var limits: LimitOptions

    func open(seed: UInt64) throws -> (train: any ImageDataset, test: (any ImageDataset)?) {
        try Self.open(data, test: test, subset: subset, limits: limits, seed: seed)
    }

    static func open(
        _ data: String, test: String? = nil, subset: String? = nil, limits: LimitOptions, seed: UInt64
    ) throws -> (train: any ImageDataset, test: (any ImageDataset)?) {
        let splits = try DatasetSplits.open(data, options: .telling)
        var options = DatasetOptions.telling
        options.classNames = splits.train.classNames.isEmpty ? nil : splits.train.classNames
        // Of a divided set the part that is held out, which is what a test is meant to be of.
        let given = try test.map { try DatasetSplits.open($0, options: options) }
        let held = given.map { $0.test ?? $0.train } ?? splits.test
        func limited(_ images: any ImageDataset, _ count: Int?) -> any ImageDataset {
            count.map { images.randomSubset(limit: $0, seed: seed) } ?? images
        }
        let train: any ImageDataset = try subset.map { try splits.train.subset(named: NamedSubset($0)) } ?? splits.train
        return (limited(train, limits.limit), held.map { limited($0, limits.testLimit) })
    }
}

/// How many of the labelled images.
struct LimitOptions: ParsableArguments {
    @Option(help: "A random subset of so many labelled training images.")
    var limit: Int?

    @Option(help: "A random subset of so many test images.")
    var testLimit: Int?

    func validate() throws {
        if let limit, limit < 2 { throw ValidationError("--limit must be at least 2") }
        if let testLimit, testLimit < 1 { throw ValidationError("--test-limit must be at least 1") }
    }
}
