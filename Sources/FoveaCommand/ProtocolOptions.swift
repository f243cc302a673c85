import ArgumentParser
import Foundation
import Fovea

/// What to measure, and how.
struct ProtocolOptions: ParsableArguments {
    @Option(help: "What to measure: \(ProtocolRegistry.names.joined(separator: ",")).")
    var `protocol` = "knn,linear"

    @Option(help: "Layers of the linear probe: last, all, or names with commas between them.")
    var layers: String?

    @Option(name: .customLong("set"), help: "A protocol's setting: lowshot.draws=5, knn.neighbours=20. May be repeated.")
    var changes: [String] = []

    @Option(help: "Repetitions of what protocols leave to chance, from --seed on; each is written to evaluation/seeds.csv.")
    var seeds = 1

    func validate() throws {
        if seeds < 1 { throw ValidationError("--seeds must be at least 1") }
        let names = `protocol`.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        if layers != nil, !names.contains("linear") {
            throw ValidationError(
                "--layers is of the linear probe, which --protocol \(`protocol`) leaves out: add linear, or leave out --layers")
        }
        _ = try chosen()
    }

    /// - Parameter subset: the training images are a chosen subset, of which fine-tuning takes no shares unless asked to.
    func apply(to evaluator: inout Evaluator, subset: Bool = false) throws {
        evaluator.protocols = try chosen()
        if subset, !changes.contains(where: { $0.hasPrefix("finetune.shares=") }) {
            evaluator.protocols = evaluator.protocols.map { one in
                guard var tuning = one as? FineTuneProtocol else { return one }
                tuning.shares = [1]
                return tuning
            }
        }
        evaluator.seeds = seeds
    }

    /// Whether a protocol needs the run's projection head.
    func beginsInHead(_ evaluator: Evaluator) -> Bool {
        evaluator.protocols.contains { ($0 as? FineTuneProtocol)?.recipe == .simclrv2 }
    }

    private func chosen() throws -> [any EvaluationProtocol] {
        do {
            return try ProtocolRegistry.protocols(`protocol`, changes: changes + (layers.map { ["linear.layers=\($0)"] } ?? []))
        } catch { throw ValidationError(error.description) }
    }
}
