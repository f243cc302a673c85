public import Embeddings
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

    /// - Throws: `EvaluationError` or `FeatureError`, in one line.
    func measure(_ subject: EvaluationSubject) throws -> [Score]
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
