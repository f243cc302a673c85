internal import Files
internal import Foundation

/// Where a run keeps what it makes. Every file but `timing.csv` and `timing.json` depends on the recipe and the data
/// alone, not on the clock or on how often the run was interrupted; `report.html` shows the time in a line of its own.
public struct RunFolder: Sendable, Equatable {
    public let path: String

    public init(_ path: String) { self.path = path }

    public var recipe: String { file("recipe.yaml") }
    public var metrics: String { file("metrics.csv") }
    public var timing: String { file("timing.csv") }
    public var timingSummary: String { file("timing.json") }
    public var summary: String { file("summary.json") }
    public var health: String { file("health.json") }
    public var unreadable: String { file("unreadable.csv") }
    public var encoder: String { file("encoder.safetensors") }
    public var projector: String { file("projector.safetensors") }
    public var classifier: String { file("classifier.safetensors") }
    public var evaluation: String { file("evaluation") }
    public var tensorBoard: String { file("tensorboard/events.out.tfevents.0000000000.fovea") }
    public var lastCheckpoint: String { checkpoint("last") }
    public var report: String { file("report.html") }

    public func checkpoint(_ name: String) -> String { file("checkpoints/\(name).safetensors") }
    public func file(_ name: String) -> String { "\(path)/\(name)" }

    public var exists: Bool { FileManager.default.fileExists(atPath: path) }

    /// Whether a run was begun here.
    public var holdsRun: Bool { FileManager.default.fileExists(atPath: recipe) }

    /// The method of a finished run, which may be one that no registry here has.
    public var methodName: String? { savedSummary?.method }

    /// What was written when the run began or ended.
    var savedSummary: RunSummary? { try? JSONDecoder().decode(RunSummary.self, from: Data(contentsOf: URL(fileURLWithPath: summary))) }

    /// Whether something of a run is here that cannot be gone on with, because its recipe is missing.
    public var lacksRecipe: Bool { !holdsRun && !checkpoints.isEmpty }

    /// Removes what a killed process had begun to write and nobody finished.
    func removePartialFiles() {
        for folder in ["", "checkpoints", "tensorboard", "evaluation", "evaluation/pictures"].map(file) {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            for name in names where name.hasSuffix(".partial") { try? FileManager.default.removeItem(atPath: "\(folder)/\(name)") }
        }
    }

    /// The names of the checkpoints there are.
    public var checkpoints: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: file("checkpoints"))) ?? []
        return names.filter { $0.hasSuffix(".safetensors") }.map { String($0.dropLast(".safetensors".count)) }.sorted()
    }
}
