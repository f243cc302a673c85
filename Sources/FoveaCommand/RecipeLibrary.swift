import Fovea
import Foundation

/// The recipes that come with Fovea: `Recipes/<method>/<dataset>.yaml`, found in $FOVEA_RECIPES, in the working folder, or
/// above the executable.
enum RecipeLibrary {
    static func folder() throws -> String {
        var candidates: [String] = []
        if let chosen = ProcessInfo.processInfo.environment["FOVEA_RECIPES"], !chosen.isEmpty { candidates.append(chosen) }
        candidates.append("Recipes")
        var place = URL(fileURLWithPath: Bundle.main.executablePath ?? CommandLine.arguments[0]).resolvingSymlinksInPath()
        while place.path != "/" {
            place.deleteLastPathComponent()
            candidates.append(place.appendingPathComponent("Recipes").path)
            candidates.append(place.appendingPathComponent("share/fovea/Recipes").path)
        }
        guard let found = candidates.first(where: { FileManager.default.fileExists(atPath: $0 + "/simclr") }) else {
            throw RecipeError("the folder of recipes is not here: set FOVEA_RECIPES to where Fovea's Recipes/ is")
        }
        return found
    }

    /// `simclr/cifar10`, in order.
    static func names() throws -> [String] {
        let files = FileManager.default.enumerator(atPath: try folder())?.compactMap { $0 as? String } ?? []
        return files.filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
    }

    /// A file's path as it is, or a name's file.
    static func locate(_ name: String) throws -> String {
        if FileManager.default.fileExists(atPath: name) { return name }
        let names = try names()
        if names.contains(name) { return "\(try folder())/\(name).yaml" }
        let nearest = Spelling.nearest(to: name, among: names).map { "; did you mean '\($0)'?" } ?? ""
        throw RecipeError("there is no recipe \(name)\(nearest) (`fovea recipes` lists them)")
    }
}
