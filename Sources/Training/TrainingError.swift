/// Why a run cannot begin or go on, in one line that says what to do.
public struct TrainingError: Error, Equatable, Sendable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}
