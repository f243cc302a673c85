/// `evaluation/sweep.json`: one recipe over a grid.
public struct SweepTable: Codable, Sendable, Equatable {
    public struct Axis: Codable, Sendable, Equatable {
        public var name: String
        public var values: [String]

        public init(name: String, values: [String]) {
            self.name = name
            self.values = values
        }
    }

    /// One run.
    public struct Row: Codable, Sendable, Equatable {
        /// A value of each axis.
        public var values: [String]
        public var seed: Int
        /// The run's folder, relative to the sweep's.
        public var run: String
        public var result: EvaluationResult
        /// Of training.
        public var seconds: Double?

        public init(values: [String], seed: Int, run: String, result: EvaluationResult, seconds: Double? = nil) {
            self.values = values
            self.seed = seed
            self.run = run
            self.result = result
            self.seconds = seconds
        }
    }

    /// A run whose loss or weights did not stay finite, and that has no result.
    public struct Diverged: Codable, Sendable, Equatable {
        /// A value of each axis.
        public var values: [String]
        public var seed: Int
        /// The run's folder, relative to the sweep's.
        public var run: String
        public var reason: String

        public init(values: [String], seed: Int, run: String, reason: String) {
            self.values = values
            self.seed = seed
            self.run = run
            self.reason = reason
        }
    }

    public var axes: [Axis]
    /// Such as `linear top-1`.
    public var measured: String
    /// The images that it was measured on, in words; numbers of others are not comparable.
    public var data: String?
    /// Of all cells times seeds; fewer rows while the sweep is under way.
    public var runs: Int
    public var rows: [Row]
    public var diverged: [Diverged]?

    public init(axes: [Axis], measured: String, data: String? = nil, runs: Int, rows: [Row] = []) {
        self.axes = axes
        self.measured = measured
        self.data = data
        self.runs = runs
        self.rows = rows
    }

    /// The mean over seeds of a cell; nil where nothing is done yet, or all has diverged.
    public func value(at values: [String]) -> Double? {
        let found = rows.filter { $0.values == values }.map(\.result.value)
        return found.isEmpty ? nil : found.reduce(0, +) / Double(found.count)
    }
}
