internal import Backbones
internal import Embeddings
public import Files
public import Methods
internal import Torch
internal import Training
public import Views

extension Evaluator {
    /// The accuracy of a trained classifier itself, for a row beside those of frozen features.
    public func accuracy(
        of network: any Classifying, name: String, trainImages: Int, on test: any ImageDataset
    ) throws -> EvaluationResult {
        let extraction = FeatureExtraction(
            imageSize: network.encoder.imageSize, batchSize: batchSize, threads: loaderThreads, device: device)
        let found = try network.evaluating { try extraction(test) { network.logits($0) } }
        let outcome = Classification(
            labels: found.labels, ranked: Metrics.ranking(found.rows), classNames: test.classNames)
        guard let accuracy = outcome.top1 else { throw EvaluationError("none of the test images has a label") }
        return EvaluationResult(
            encoder: name, protocolName: "end-to-end", split: "test", value: accuracy.estimate, lower: accuracy.low,
            upper: accuracy.high, trainImages: trainImages, testImages: outcome.correct().count)
    }

    /// Writes results anew, such as after a row was added.
    public func write(_ outcome: Outcome, to folder: String) throws {
        try EvaluationFolder(folder).writeResults(outcome)
    }
}
