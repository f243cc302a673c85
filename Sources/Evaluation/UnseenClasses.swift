/// Labelled test images of classes that nothing was learned of: whatever is predicted, they are wrong.
enum UnseenClasses {
    /// A line about them; nil when there are none.
    /// - Parameters:
    ///   - train: labels of what is learned from, −1 where there is none, and the names that they are of.
    ///   - test: the same of the test images; a class is the same by name.
    static func note(train: (labels: [Int], names: [String]), test: (labels: [Int], names: [String])) -> String? {
        let known = Set(train.labels.filter { $0 >= 0 }.map { train.names[$0] })
        let unseen = test.labels.filter { $0 >= 0 && !known.contains(test.names[$0]) }
        guard !unseen.isEmpty else { return nil }
        let names = Set(unseen).sorted().map { test.names[$0] }
        let listed = names.prefix(5).joined(separator: ", ") + (names.count > 5 ? " and \(names.count - 5) more" : "")
        return "\(unseen.count) test images are of classes without a training image, which nothing can learn: \(listed)"
    }
}
