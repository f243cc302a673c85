import Fovea
import Foundation

/// What `make method-table` measured of each method's small recipe, means over seeds: `Recipes/measured.csv`, which comes with the
/// recipes.
struct MeasuredMethods {
    /// In shares of 1, minutes of one processor and megabytes.
    struct Row {
        var knn, knnGain, linear, minutes, memory: Double?
    }

    private let records: [[String: String]]

    /// Empty where the table is not there; a damaged one is as good as none.
    init() {
        let text = (try? RecipeLibrary.folder()).flatMap { try? String(contentsOfFile: $0 + "/measured.csv", encoding: .utf8) }
        let lines = text.flatMap { try? CSV.parse($0) } ?? []
        records = lines.dropFirst().map { fields in
            Dictionary(zip(lines[0], fields)) { first, _ in first }
        }
    }

    var isEmpty: Bool { records.isEmpty }

    func row(of method: String) -> Row {
        let own = records.filter { $0["method"] == method }
        func mean(_ column: String) -> Double? {
            let values = own.compactMap { $0[column].flatMap(Double.init) }
            return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
        }
        return Row(
            knn: mean("knn"), knnGain: mean("knn_gain"), linear: mean("linear"), minutes: mean("processor_minutes"),
            memory: mean("peak_memory_mb"))
    }
}
