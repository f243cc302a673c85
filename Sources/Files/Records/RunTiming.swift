/// `timing.json`: what differs between two runs of the same recipe.
public struct RunTiming: Codable, Sendable, Equatable {
    /// Wall clock of the run, summed over the processes that trained it; of one that was killed, up to its last checkpoint.
    public var seconds: Double?
    public var peakMemoryMB: Double?

    public init(seconds: Double? = nil, peakMemoryMB: Double? = nil) {
        self.seconds = seconds
        self.peakMemoryMB = peakMemoryMB
    }
}
