import Fovea
import Foundation

/// The recipes that come with Fovea: `Recipes/<method>/<dataset>.yaml`, found in $FOVEA_RECIPES, in the working folder, or
/// above the executable.
enum RecipeLibrary {
    /// - Parameter name: the recipe that is looked for, for the message.
    static func folder(for name: String? = nil) throws -> String {
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
            throw RecipeError(
                "\(name.map { "there is no recipe \($0), and " } ?? "")the folder of recipes is not here: set FOVEA_RECIPES to where "
                    + "Fovea's Recipes/ is")
        }
        return found
    }

    /// `simclr/cifar10`, in order.
    static func names(for name: String? = nil) throws -> [String] {
        let files = FileManager.default.enumerator(atPath: try folder(for: name))?.compactMap { $0 as? String } ?? []
        return files.filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
    }

    /// A file's path as it is, or a name's file.
    static func locate(_ name: String) throws -> String {
        if FileManager.default.fileExists(atPath: name) { return name }
        if name.hasSuffix(".yaml") || name.hasSuffix(".yml") {
            throw RecipeError("there is no recipe file \(name): check the path, or take one that `fovea recipes` lists")
        }
        let names = try names(for: name)
        if names.contains(name) { return "\(try folder())/\(name).yaml" }
        let nearest = Spelling.nearest(to: name, among: names).map { "; did you mean '\($0)'?" } ?? ""
        throw RecipeError("there is no recipe \(name)\(nearest) (`fovea recipes` lists them)")
    }
}
