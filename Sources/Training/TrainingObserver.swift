/// Told of a run while it goes; a terminal's progress bar is one.
public protocol TrainingObserver: AnyObject {
    func begins(_ plan: TrainingPlan)
    func advances(_ progress: TrainingProgress)
    func endsEpoch(_ summary: EpochSummary)
    /// A line worth reading: a warning, a note.
    func says(_ message: String)
}

/// What is about to happen.
public struct TrainingPlan: Sendable {
    public let method: String
    public let backbone: String
    public let parameters: Int
    public let images: Int
    public let epochs: Int
    public let stepsPerEpoch: Int
    public let batchSize: Int
    public let device: String
    /// Of the rest of the run, measured on a few images; nil when nothing was measured.
    public let forecast: Forecast?
    /// The epoch that a resumed run goes on in, from 0.
    public let firstEpoch: Int

    public struct Forecast: Sendable {
        public let seconds: Double
        public let bytes: Int
    }
}

public struct TrainingProgress: Sendable {
    /// From 0.
    public let epoch: Int
    public let epochs: Int
    public let batch: Int
    public let batches: Int
    /// Of the last measurement.
    public let loss: Double?
    public let learningRate: Double
    public let imagesPerSecond: Double
    /// Of the whole run.
    public let secondsLeft: Double
}

public struct EpochSummary: Sendable {
    /// From 0.
    public let epoch: Int
    public let epochs: Int
    public let seconds: Double
    public let imagesPerSecond: Double
    /// As in `metrics.csv`, in its order.
    public let metrics: [(name: String, value: Double?)]

    public subscript(name: String) -> Double? { metrics.first { $0.name == name }?.value ?? nil }
}
