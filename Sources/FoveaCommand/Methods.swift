import ArgumentParser
import Fovea

struct Methods: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the methods, with family, paper and needs.")

    func run() {
        var table = TextTable(["method", "family", "paper", "needs", "idea"])
        for entry in MethodRegistry.standard.entries {
            let card = entry.card
            let needs =
                (card.needsLabels ? ["labels"] : []) + (card.needsPatches ? ["a transformer"] : [])
                + (card.needs.isEmpty ? [] : [card.needs])
            table.append([card.name, card.family.rawValue, card.paper, needs.joined(separator: ", "), card.summary])
        }
        print(table.forOutput())
    }
}
