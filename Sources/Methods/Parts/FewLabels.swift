public import Backbones
public import Torch

/// A method that learns a classifier from few labelled images and many without a label: every batch has both, in a fixed proportion.
public protocol LearningFromFewLabels: SelfSupervisedMethod, Classifying {
    /// What is kept.
    var network: ClassifierNetwork { get }
    /// Of a batch.
    var labelledShare: Double { get }
}

extension LearningFromFewLabels {
    public var encoder: Encoder { network.encoder }
    public func logits(_ pixels: Tensor) -> Tensor { network(pixels) }
    public var classifierState: StateDict? { network.classifierState }

    /// Batches of labelled and unlabelled samples; what there are fewer of comes round again.
    public func prepareEpoch(_ epoch: Int, _ services: any RunServices) throws {
        let labels = services.labels
        let (known, unknown) = (labels.indices.filter { labels[$0] >= 0 }, labels.indices.filter { labels[$0] < 0 })
        guard !known.isEmpty else {
            throw SettingsError("\(Self.card.title) needs some images with labels, and none of these has one: give data.labelledShare")
        }
        guard !unknown.isEmpty else { return }
        services.setOrder(
            FewLabels.order(
                known, unknown, batch: services.batchSize, batches: labels.count / services.batchSize, share: labelledShare,
                permutation: { Tensor.randomPermutation($0).ints }))
    }
}

enum FewLabels {
    /// A new network for as many classes as the data have.
    static func network(_ title: String, _ context: MethodContext) throws -> ClassifierNetwork {
        guard context.classCount >= 2 else {
            throw SettingsError("\(title) needs at least 2 classes, and the data have \(context.classCount)")
        }
        return ClassifierNetwork(try context.makeEncoder(), classes: context.classCount)
    }

    static func order(
        _ known: [Int], _ unknown: [Int], batch: Int, batches: Int, share: Double, permutation: (Int) -> [Int]
    ) -> [Int] {
        let labelled = min(batch, max(1, Int((share * Double(batch)).rounded())))
        func stream(_ indices: [Int], _ count: Int) -> [Int] {
            var drawn: [Int] = []
            while drawn.count < count { drawn += permutation(indices.count).map { indices[$0] } }
            return drawn
        }
        let (first, second) = (stream(known, labelled * batches), stream(unknown, (batch - labelled) * batches))
        var order: [Int] = []
        for number in 0..<batches {
            order += first[number * labelled..<(number + 1) * labelled]
            order += second[number * (batch - labelled)..<(number + 1) * (batch - labelled)]
        }
        return order
    }

    /// The mean of `values`, [n], over the samples without a label; 0 when all have one.
    static func unlabelledMean(_ values: Tensor, _ labels: Tensor) -> Tensor {
        let weights = labels.less(0).to(values.dataType)
        return (values * weights).sum() / weights.sum().clamped(1)
    }
}
