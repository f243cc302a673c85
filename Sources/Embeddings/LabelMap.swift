/// Which class of the training split each class of the test split is, by name.
public struct LabelMap: Sendable, Equatable {
    /// The training split's class for each class of the test split. Classes that training does not have are numbered after
    /// its own, so that no prediction can equal them: they count as wrong.
    public let indices: [Int]
    /// The training split's names, then the unknown ones.
    public let classNames: [String]
    /// Test classes that training does not have.
    public let unknown: [String]

    /// - Parameters:
    ///   - train: the training split's class names.
    ///   - test: the test split's class names, in any order.
    /// - Throws: `FeatureError` `.labels` when a name occurs twice in a split; `.unknownClasses` when the splits have no class
    ///   in common.
    public init(train: [String], test: [String]) throws(FeatureError) {
        for (names, split) in [(train, "training"), (test, "test")] where Set(names).count < names.count {
            let twice = Dictionary(grouping: names, by: \.self).filter { $0.value.count > 1 }.keys.sorted().first!
            throw FeatureError(.labels, "the class '\(twice)' occurs twice in the \(split) split")
        }
        let places = Dictionary(uniqueKeysWithValues: zip(train, train.indices))
        let unknown = test.filter { places[$0] == nil }
        guard unknown.count < test.count || test.isEmpty else {
            throw FeatureError(
                .unknownClasses,
                "none of the test split's classes (\(LabelMap.list(test))) is one of the training split's (\(LabelMap.list(train)))")
        }
        let added = Dictionary(uniqueKeysWithValues: zip(unknown, train.count...))
        indices = test.map { places[$0] ?? added[$0]! }
        classNames = train + unknown
        self.unknown = unknown
    }

    /// Labels of the test split as the training split counts them; −1 stays.
    public func apply(_ labels: [Int]) -> [Int] { labels.map { $0 < 0 ? -1 : indices[$0] } }

    /// One line about classes that can only be wrong; nil when there are none.
    public var note: String? {
        unknown.isEmpty ? nil : "the test split has classes that training does not know, which count as wrong: \(LabelMap.list(unknown))"
    }

    /// For callers to whom an unknown class is an error.
    /// - Throws: `FeatureError` `.unknownClasses`.
    public func requireAllKnown() throws(FeatureError) {
        guard unknown.isEmpty else {
            throw FeatureError(
                .unknownClasses, "the test split has classes that the training split does not know: \(LabelMap.list(unknown))")
        }
    }

    private static func list(_ names: [String]) -> String {
        names.prefix(5).joined(separator: ", ") + (names.count > 5 ? " and \(names.count - 5) more" : "")
    }
}
