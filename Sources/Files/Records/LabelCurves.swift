/// `evaluation/labels.json`: accuracy against the number of labels, and what the encoder saves.
public struct LabelCurves: Codable, Sendable, Equatable {
    public struct Point: Codable, Sendable, Equatable {
        /// Labelled training images.
        public var labels: Int
        /// Mean accuracy over draws of the labelled images.
        public var value: Double
        /// Bounds of the 95 % interval over draws (of a single draw: over test images).
        public var lower: Double
        public var upper: Double
        /// The accuracy of each draw.
        public var draws: [Double]

        public init(labels: Int, value: Double, lower: Double, upper: Double, draws: [Double]) {
            self.labels = labels
            self.value = value
            self.lower = lower
            self.upper = upper
            self.draws = draws
        }
    }

    public struct Curve: Codable, Sendable, Equatable {
        /// Such as `simclr, linear`.
        public var name: String
        /// In rising order of labels.
        public var points: [Point]

        public init(name: String, points: [Point]) {
            self.name = name
            self.points = points
        }
    }

    /// Labels with which a curve of the encoder is as accurate as the supervised network with `labels`.
    public struct Saving: Codable, Sendable, Equatable {
        public var curve: String
        public var labels: Int
        public var accuracy: Double
        /// nil where the curve does not come so far.
        public var needed: Double?
        /// Bounds of the 95 % interval; a missing upper one lies beyond the curve.
        public var lower: Double?
        public var upper: Double?

        public init(curve: String, labels: Int, accuracy: Double, needed: Double?, lower: Double?, upper: Double?) {
            self.curve = curve
            self.labels = labels
            self.accuracy = accuracy
            self.needed = needed
            self.lower = lower
            self.upper = upper
        }
    }

    public var curves: [Curve]
    public var savings: [Saving]
    public var testImages: Int
    public var secondsPerLabel: Double

    public init(curves: [Curve], savings: [Saving], testImages: Int, secondsPerLabel: Double) {
        self.curves = curves
        self.savings = savings
        self.testImages = testImages
        self.secondsPerLabel = secondsPerLabel
    }
}
