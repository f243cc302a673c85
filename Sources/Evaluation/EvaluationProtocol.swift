/// What can be measured of an encoder on labelled images.
public enum EvaluationProtocol: String, CaseIterable, Sendable, Codable {
    /// Weighted votes of the nearest training images.
    case knn
    /// Logistic regression on frozen features.
    case linear
}

/// Why an evaluation cannot be done, in one line that says what to do.
public struct EvaluationError: Error, Equatable, Sendable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}
