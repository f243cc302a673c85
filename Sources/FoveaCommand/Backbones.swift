import ArgumentParser
import Fovea

struct Backbones: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the backbones, with size and paper.")

    func run() throws {
        var table = TextTable(["backbone", "parameters", "features", "weights as", "paper"])
        for entry in BackboneRegistry.all {
            let backbone = try BackboneRegistry.make(BackboneSettings(entry.name), imageSize: 224)
            table.append([entry.name, Format.count(backbone.parameterCount), "\(backbone.outputWidth)", entry.weightNames, entry.paper])
        }
        print(table.render())
        print("\nThe numbers are those of the published width (--width 64).")
    }
}
