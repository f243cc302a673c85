/// What is wrong with features, labels or settings that were asked to be measured: one line that names the fault,
/// where it is, and what to do.
public struct FeatureError: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Kind: String, Sendable, Equatable {
        /// The tensor is not a matrix with at least one row and one column.
        case shape
        /// A NaN or an infinity.
        case notFinite
        /// Two matrices of different widths.
        case width
        /// As many labels, names or class names as there should be are not there, or a label is out of range.
        case labels
        /// Too few rows for what was asked.
        case tooFewRows
        /// Fewer than two classes to tell apart.
        case tooFewClasses
        /// Class names that the training split does not have.
        case unknownClasses
        /// A setting outside its range.
        case setting
    }

    public let kind: Kind
    public let description: String

    public init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
