/// `timing.json`: what differs between two runs of the same recipe.
public struct RunTiming: Codable, Sendable, Equatable {
    /// Wall clock, of the part of the run since it was started or resumed.
    public var seconds: Double?
    public var peakMemoryMB: Double?

    public init(seconds: Double? = nil, peakMemoryMB: Double? = nil) {
        self.seconds = seconds
        self.peakMemoryMB = peakMemoryMB
    }
}
