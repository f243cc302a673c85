import ArgumentParser
import Fovea
import Foundation

struct ViewsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "views",
        abstract: "Draw what a method sees of your images, and what it must predict.",
        discussion: """
            One row for each image: the image itself, then every view under its name; of methods that hide parts of a view while they train \
            (masked modelling, colours, regions), what is seen and what is to be told; and below them what the targets say.
            """)

    @Option(help: "A recipe: a file, or a name that `fovea recipes` lists.", completion: .file())
    var recipe: String

    @Option(help: "Images: a folder, a .csv list, or a packed set.", completion: .file())
    var data: String

    @Option(help: "The picture, a .png file.", completion: .file())
    var out = "views.png"

    @Option(help: "Images, spread over the data set.")
    var count = 8

    @Option(help: "Rows for each image, of successive epochs.")
    var draws = 1

    @Option(name: .customLong("set"), help: "Any setting: key.path=value, such as method.pairs=8. May be repeated.")
    var changes: [String] = []

    func validate() throws {
        for (name, value) in [("--count", count), ("--draws", draws)] where !(1...1000).contains(value) {
            throw ValidationError("\(name) \(value): give a number between 1 and 1000")
        }
        guard out.lowercased().hasSuffix(".png") else { throw ValidationError("--out \(out): the picture is a PNG; call it .png") }
    }

    func run() throws {
        var chosen = try RecipeFile().read(RecipeLibrary.locate(recipe), changes: changes)
        chosen.data.path = data
        let images = try chosen.data.open(MethodRegistry.standard.entry(named: chosen.method.name), options: .telling)
        try ViewSheet.write(chosen, images, to: out, count: count, draws: draws)
        print("what \(chosen.method.name) sees is drawn in \(out)")
    }
}
