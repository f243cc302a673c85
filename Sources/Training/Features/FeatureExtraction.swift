internal import Methods
public import Torch
public import Views

/// A data set's images through a network, in evaluation mode, without a graph.
public struct FeatureExtraction {
    public var imageSize: Int
    public var batchSize: Int
    public var threads: Int
    public var device: Device

    public init(imageSize: Int, batchSize: Int = 128, threads: Int = 2, device: Device = .cpu) {
        self.imageSize = imageSize
        self.batchSize = batchSize
        self.threads = threads
        self.device = device
    }

    public struct Result {
        /// [n, …] float32 on the CPU: a row for every image that could be read.
        public var rows: Tensor
        /// [n]: where in the data set each row comes from, rising.
        public var indices: [Int]
        /// [n], −1 where there is none.
        public var labels: [Int]
        /// What could not be read.
        public var unreadable: [UnreadableLog.Entry]

        public init(rows: Tensor, indices: [Int], labels: [Int], unreadable: [UnreadableLog.Entry]) {
            self.rows = rows
            self.indices = indices
            self.labels = labels
            self.unreadable = unreadable
        }
    }

    /// - Parameters:
    ///   - views: how an image becomes a view; the evaluation protocol by default.
    ///   - seed: of views that are random.
    ///   - body: pixels [n, 3, h, w] uint8 to [n, …]; called in inference mode.
    ///   - progress: told the images done, after every batch; returning false ends the extraction early.
    /// - Throws: `TrainingError` when no image can be read.
    public func callAsFunction(
        _ dataset: any ImageDataset, views: (any ViewMaker)? = nil, seed: UInt64 = 0,
        progress: ((Int) -> Bool)? = nil, _ body: (_ pixels: Tensor) -> Tensor
    ) throws -> Result {
        var rows: [Tensor] = []
        var found = try stream(dataset, views: views, seed: seed, progress: progress, { [body($0)] }) { rows.append($0[0]) }
        found.rows = inference { .concatenated(rows) }
        return found
    }

    /// The same, batch by batch, of one network's several outputs; the result has no rows.
    /// - Parameter sink: takes each batch's outputs, [n, …] float32 on the CPU.
    public func stream(
        _ dataset: any ImageDataset, views: (any ViewMaker)? = nil, seed: UInt64 = 0, progress: ((Int) -> Bool)? = nil,
        _ body: (_ pixels: Tensor) -> [Tensor], sink: (_ outputs: [Tensor]) throws -> Void
    ) throws -> Result {
        let maker = try views ?? ViewRecipe.evaluation(size: ImageSize(imageSize))
        let loader = Loader(dataset: dataset, maker: maker, seed: seed, threads: threads)
        let epoch = loader.epoch(0, order: Array(0..<dataset.count), batchSize: batchSize, dropLast: false)
        var indices: [Int] = []
        var labels: [Int] = []
        while let pixels = epoch.next() {
            let batch = Batch(pixels, on: device)
            try sink(inference { body(batch.views[0]).map { $0.to(.float32).to(.cpu).contiguous() } })
            indices += pixels.indices
            labels += pixels.labels
            if progress?(indices.count) == false { break }
        }
        guard !indices.isEmpty else {
            let reason = loader.unreadable.entries.first.map { " (first: \($0))" } ?? ""
            throw TrainingError("none of the \(dataset.count) images can be read\(reason)")
        }
        return Result(rows: .zeros([0]), indices: indices, labels: labels, unreadable: loader.unreadable.entries)
    }

    /// The first `count` views of every image: [n, …] for each, rows of the same image in the same place.
    func views(
        _ dataset: any ImageDataset, _ maker: any ViewMaker, count: Int, _ body: (_ pixels: Tensor) -> Tensor
    ) throws -> [Tensor] {
        let loader = Loader(dataset: dataset, maker: maker, seed: 0, threads: threads)
        let epoch = loader.epoch(0, order: Array(0..<dataset.count), batchSize: batchSize, dropLast: false)
        var rows: [[Tensor]] = []
        while let pixels = epoch.next() {
            let batch = Batch(pixels, on: device)
            rows.append(inference { batch.views.prefix(count).map { body($0).to(.float32).to(.cpu).contiguous() } })
        }
        guard let first = rows.first else { throw TrainingError("none of the images that health is read on can be read") }
        return inference { first.indices.map { view in .concatenated(rows.map { $0[view] }) } }
    }
}
