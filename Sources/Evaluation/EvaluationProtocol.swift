public import Backbones
public import Embeddings
internal import Torch
internal import Training
internal import Views

/// One way to measure what a representation is worth: a value whose stored properties are its settings.
///
/// A new one is a file with a type like this in `Protocols/` and its name in `ProtocolRegistry.all`. It sees labelled images
/// as features only, chooses its settings on the training split, and reads the test split once.
public protocol EvaluationProtocol: Codable, Sendable {
    /// On the command line and in results.
    static var name: String { get }
    /// What it measures and where it comes from, in a line.
    static var summary: String { get }

    /// The default settings.
    init()

    /// What is taken for settings that have no value by default, in words; nothing by default.
    static var automaticValues: [String: String] { get }

    /// What can be refused before anything is measured: settings that make no sense, layers that the encoder lacks, a missing test split.
    /// Everything passes by default.
    /// - Parameter encoder: nil for raw pixels.
    /// - Throws: `EvaluationError`, in one line.
    func check(_ encoder: Encoder?, hasTest: Bool) throws

    /// - Throws: `EvaluationError` or `FeatureError`, in one line.
    func measure(_ subject: EvaluationSubject) throws -> [Score]

    /// Numbers that exist only beside a baseline's, such as errors divided by its errors; none by default.
    /// - Parameters:
    ///   - own: what `measure` gave for the representation.
    ///   - baseline: what it gave for each run of the baseline.
    func relative(_ own: [Score], to baseline: [[Score]], _ name: String) -> [Score]
}

extension EvaluationProtocol {
    public static var automaticValues: [String: String] { [:] }

    public func check(_ encoder: Encoder?, hasTest: Bool) throws {}

    func check(_ subject: EvaluationSubject) throws { try check(subject.representation.encoder, hasTest: subject.test != nil) }

    public func relative(_ own: [Score], to baseline: [[Score]], _ name: String) -> [Score] { [] }
}

/// What a protocol measures: one representation of the labelled images.
public struct EvaluationSubject {
    public let train: Features
    /// nil when the images are not divided.
    public let test: Features?
    public let seed: UInt64
    let representation: Representation
    let data: EvaluationData
    /// The images behind the rows.
    let trainImages: SubsetDataset
    let testImages: SubsetDataset?

    init(_ splits: EvaluationData.Splits, _ representation: Representation, _ data: EvaluationData, seed: UInt64) {
        train = splits.train
        test = splits.test
        trainImages = splits.trainImages
        testImages = splits.testImages
        self.representation = representation
        self.data = data
        self.seed = seed
    }

    /// For protocols that train a network: its outputs are the training split's classes.
    func requireKnownTestClasses() throws {
        guard let test, test.classNames != train.classNames else { return }
        throw EvaluationError("the test split's classes are not those of the training split in the same order: give both in one --data")
    }

    /// A line about labelled test images whose class no training image has; nil when there are none.
    var unseenClasses: String? {
        test.flatMap { UnseenClasses.note(train: (train.labels, train.classNames), test: ($0.labels, $0.classNames)) }
    }

    /// As `division`, with the images that the test features are of.
    func divisionWithImages() throws -> (train: Features, test: Features, testImages: SubsetDataset, split: String) {
        if let test, let testImages { return (train, test, testImages, "test") }
        let known = train.labels.indices.filter { train.labels[$0] >= 0 }
        let (_, held) = HoldOut.stratified(known.map { train.labels[$0] }, share: 0.2, seed: seed)
        let (fitted, test, split) = try division()
        return (fitted, test, trainImages.subset(held.map { known[$0] }), split)
    }

    /// Further views of the images that `division` fits to, `count` of each: random resized crops and flips, as supervised training has.
    /// - Returns: features of the representation, rows of their own; nil for none.
    func furtherViews(_ count: Int, as representation: Representation) throws -> Features? {
        guard count > 0 else { return nil }
        let known = train.labels.indices.filter { train.labels[$0] >= 0 }
        let fitted = HoldOut.stratified(known.map { train.labels[$0] }, share: 0.2, seed: seed).fit.map { known[$0] }
        let images = trainImages.subset(test == nil ? fitted : known)
        let views = try ViewRecipe.supervised(size: ImageSize(data.extraction.imageSize))
        let found = try (0..<count).map { index in
            try data.extraction(images, views: views, seed: seed &* 1_000_003 &+ UInt64(index)) { representation.features($0) }
        }
        return Features(
            matrix: .concatenated(found.map(\.rows)), labels: found.flatMap(\.labels), classNames: train.classNames)
    }

    /// Images to fit and images to test on: the test split, or a fifth of each class when there is none.
    public func division() throws -> (train: Features, test: Features, split: String) {
        if let test { return (train, test, "test") }
        let (fitted, held) = try train.dividedForTest(seed: seed)
        return (fitted, held, "held-out fifth")
    }
}

/// Why an evaluation cannot be done, in one line that says what to do.
public struct EvaluationError: Error, Equatable, Sendable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}
