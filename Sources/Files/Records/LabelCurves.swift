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
        /// What labelling `labels` images takes longer than labelling `needed`; below 0 where the curve needs more. Nil where `needed` is.
        public var hoursSaved: Double?
        /// Bounds of its 95 % interval; a missing lower one is of a curve that may not come so far.
        public var hoursLower: Double?
        public var hoursUpper: Double?
        /// Whether the curve begins above the accuracy: it needs at most `needed`, and saves at least `hoursSaved`.
        public var isBound: Bool?

        /// - Parameter secondsPerLabel: what labelling an image takes, for the hours.
        public init(
            curve: String, labels: Int, accuracy: Double, needed: Double?, lower: Double?, upper: Double?, secondsPerLabel: Double,
            isBound: Bool = false
        ) {
            self.curve = curve
            self.labels = labels
            self.accuracy = accuracy
            self.needed = needed
            self.lower = lower
            self.upper = upper
            self.isBound = isBound
            func hours(_ needed: Double) -> Double { (Double(labels) - needed) * secondsPerLabel / 3600 }
            guard let needed else { return }
            hoursSaved = hours(needed)
            hoursLower = upper.map(hours)
            hoursUpper = lower.map(hours)
        }
    }

    public var curves: [Curve]
    public var savings: [Saving]
    public var testImages: Int
    public var secondsPerLabel: Double
    /// What a reader of the numbers should know, a line each.
    public var notes: [String]?
    /// Which images it was measured on, as they were named.
    public var data: String?

    public init(
        curves: [Curve], savings: [Saving], testImages: Int, secondsPerLabel: Double, notes: [String]? = nil, data: String? = nil
    ) {
        self.curves = curves
        self.savings = savings
        self.testImages = testImages
        self.secondsPerLabel = secondsPerLabel
        self.notes = notes
        self.data = data
    }
}
