import ArgumentParser
import Fovea
import Foundation

struct Methods: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the methods, with family, paper, needs and what was measured of them.",
        discussion: """
            kNN, its points over a random encoder, linear accuracy, processor minutes and megabytes are those of the method's small \
            recipe on 10,000 CIFAR-10 images (`make method-table`); a dash stands for what was not measured.
            """)

    func run() {
        let measured = MeasuredMethods()
        let columns = measured.isEmpty ? [] : ["kNN", "over random", "linear", "minutes", "MB"]
        var table = TextTable(["method", "family"] + columns + ["paper", "needs", "idea"])
        for entry in MethodRegistry.standard.entries {
            let card = entry.card
            let needs =
                (card.needsLabels ? ["labels"] : []) + (card.needsPatches ? ["a transformer"] : []) + (card.needsClips ? ["clips"] : [])
                + (card.needs.isEmpty ? [] : [card.needs])
            let row = measured.row(of: card.name)
            let numbers = [
                text(row.knn, "%.1f", times: 100), text(row.knnGain, "%+.1f", times: 100), text(row.linear, "%.1f", times: 100),
                text(row.minutes, "%.1f"), text(row.memory, "%.0f"),
            ]
            table.append(
                [card.name, card.family.rawValue] + numbers.prefix(columns.count)
                    + [card.paper, needs.joined(separator: ", "), card.summary])
        }
        print(table.forOutput())
    }

    private func text(_ value: Double?, _ format: String, times factor: Double = 1) -> String {
        value.map { String(format: format, $0 * factor) } ?? "–"
    }
}
