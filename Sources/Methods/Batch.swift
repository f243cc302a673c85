public import Torch

/// What a method sees of one batch, on its device.
public struct Batch {
    /// In the order of the recipe's views: [n, 3, h, w] uint8 pixels, which an `Encoder` takes as they are.
    public var views: [Tensor]
    /// What a target maker adds to the views, by name, first dimension n.
    public var targets: [String: Tensor]
    /// [n] int64: the samples' positions in the data set.
    public var indices: Tensor
    /// [n] int64, −1 where there is none.
    public var labels: Tensor

    public init(views: [Tensor], targets: [String: Tensor] = [:], indices: Tensor, labels: Tensor) {
        self.views = views
        self.targets = targets
        self.indices = indices
        self.labels = labels
    }

    public var count: Int { indices.count }
}

/// Where in the run a loss is computed.
public struct Step: Sendable, Equatable {
    /// From 0.
    public var epoch: Int
    /// From 0, over the whole run.
    public var index: Int
    /// Steps of the whole run.
    public var total: Int
    /// Which of the method's phases.
    public var phase: Int

    public init(epoch: Int, index: Int, total: Int, phase: Int = 0) {
        self.epoch = epoch
        self.index = index
        self.total = total
        self.phase = phase
    }

    /// A schedule's value here.
    public func value(_ schedule: Schedule) -> Double { schedule.value(at: index, of: total) }
}

/// The parts of a loss, by name, which are summed; and numbers to watch that are not optimised.
public struct Losses: ExpressibleByDictionaryLiteral {
    public var parts: [(name: String, value: Tensor)]
    /// Scalars without gradient, logged beside the parts.
    public var measures: [(name: String, value: Tensor)] = []

    public init(dictionaryLiteral elements: (String, Tensor)...) { parts = elements.map { ($0.0, $0.1) } }

    /// What is optimised.
    /// - Precondition: at least one part.
    public var total: Tensor { parts.dropFirst().reduce(parts[0].value) { $0 + $1.value } }

    /// The same losses, with a number to watch.
    public func measuring(_ name: String, _ value: Tensor) -> Losses {
        var copy = self
        copy.measures.append((name, value.detached()))
        return copy
    }
}
