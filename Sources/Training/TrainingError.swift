/// Why a run cannot begin or go on, in one line that says what to do.
public struct TrainingError: Error, Equatable, Sendable, CustomStringConvertible {
    public let description: String
    /// Whether what is trained is no longer finite: the recipe is at fault, and no other run of it would go better.
    public let isDivergence: Bool

    public init(_ description: String, isDivergence: Bool = false) {
        self.description = description
        self.isDivergence = isDivergence
    }
}
