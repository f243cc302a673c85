import Fovea

/// A vector of every word as the centre, and one as the context: near words get similar ones.
final class SkipGram: Module {
    let centers: Parameter
    let contexts: Parameter
    private let corpus: Corpus
    private let noise: UnigramNoise
    private let batch = 512

    init(_ corpus: Corpus, width: Int) {
        self.corpus = corpus
        noise = UnigramNoise(counts: corpus.counts)
        centers = Parameter((Tensor.rand([corpus.words.count, width]) - 0.5) / Double(width))
        contexts = Parameter(.zeros([corpus.words.count, width]))
    }

    /// - Returns: the mean loss.
    func train(epoch: Int, of epochs: Int) -> Double {
        var random = SystemRandomNumberGenerator()
        let pairs = corpus.pairs(window: 5, threshold: 1e-3, random: &random)
        // Adam, because a word is in few of the batches.
        let optimizer = Adam(parameterGroups(weightDecay: 0))
        var (sum, steps) = (0.0, 0)
        for start in stride(from: 0, to: pairs.count, by: batch) {
            let part = pairs[start..<Swift.min(start + batch, pairs.count)]
            let center = centers.value.rows(Tensor(part.map(\.center)))
            let context = contexts.value.rows(Tensor(part.map(\.context)))
            let others = contexts.value.rows(noise.sample(part.count, 5).flattened()).reshaped(part.count, 5, center.size(1))
            let loss = ContrastiveLoss.negativeSampling(
                (center * context).sum(1), others.matmul(center.unsqueezed(-1)).squeezed(-1))
            clearGradients()
            loss.backward()
            optimizer.step(learningRate: 0.005 * (1 - Double(epoch) / Double(epochs)))
            sum += loss.item
            steps += 1
        }
        return sum / Double(Swift.max(1, steps))
    }

    /// The words whose centre vectors have the largest cosine with a word's; nil for an unknown one.
    func neighbours(of word: String, _ count: Int) -> [String]? {
        guard let number = corpus.numbers[word] else { return nil }
        let unit = centers.value.detached().normalized()
        return unit.matmul(unit[number]).top(Swift.min(count + 1, corpus.words.count)).indices.ints.filter { $0 != number }
            .prefix(count).map { corpus.words[$0] }
    }
}
