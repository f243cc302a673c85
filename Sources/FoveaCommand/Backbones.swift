import ArgumentParser
import Fovea

struct Backbones: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the backbones, with size and paper.")

    func run() {
        var table = TextTable(["backbone", "parameters", "features", "weights as", "paper"])
        for entry in BackboneRegistry.all {
            table.append([entry.name, Format.count(entry.parameterCount), "\(entry.outputWidth)", entry.weightNames, entry.paper])
        }
        print(table.forOutput())
        print("\nThe numbers are those of the published width (--width 64).")
    }
}
