public import Methods
internal import Backbones
internal import Files
internal import Foundation
internal import Views
internal import Yams

/// A recipe that cannot be read: which file or option, what is wrong with it, what would be right.
public struct RecipeError: Error, Equatable, Sendable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}

/// Reads and writes recipes as YAML.
///
/// What a file leaves out has its default, so that hand-written files may be short; the files in `Recipes/` and those
/// in run folders are whole. A key that nothing reads is an error, not a silent no.
public struct RecipeFile {
    private let methods: MethodRegistry

    public init(methods: MethodRegistry = .standard) { self.methods = methods }

    public func read(_ path: String, changes: [String] = []) throws -> Recipe {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
            throw RecipeError("\(path) is a folder, not a recipe: give a YAML file, or a name that `fovea recipes` lists")
        }
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw RecipeError("cannot read the recipe \(path): check the path, or see `fovea recipes`")
        }
        // YAML has no control characters but these.
        let isText = bytes.allSatisfy { $0 >= 0x20 || [0x09, 0x0A, 0x0D].contains($0) }
        guard isText, let text = String(data: bytes, encoding: .utf8) else {
            throw RecipeError("\(path) is not a recipe: it is no text in UTF-8; give a YAML file, or a name that `fovea recipes` lists")
        }
        return try parse(text, source: path, changes: changes)
    }

    /// - Parameters:
    ///   - source: what messages call the text.
    ///   - changes: `key.path=value` settings that override it.
    public func parse(_ text: String, source: String, changes: [String] = []) throws -> Recipe {
        let loaded: Any?
        do {
            loaded = try Yams.load(yaml: text)
        } catch let error as YamlError {
            throw RecipeError("\(source) is not YAML: \(Self.line(error))")
        }
        guard var tree = (loaded ?? [String: Any]()) as? [String: Any] else {
            throw RecipeError("\(source) is not a recipe: it should be a mapping with `method:` and others")
        }
        let original = tree
        for change in changes { try SettingsTree.apply(change, to: &tree) }
        let recipe = try recipe(from: tree, source: source)
        for change in changes where change.hasPrefix("method.") { try requireEffect(of: change, on: original, in: recipe, source) }
        return recipe
    }

    /// Of a setting that makes a method's views where the recipe has views of its own.
    private func requireEffect(of change: String, on original: [String: Any], in recipe: Recipe, _ source: String) throws {
        guard recipe.views != nil, let before = try? self.recipe(from: original, source: source) else { return }
        var tree = original
        try SettingsTree.apply(change, to: &tree)
        guard let after = try? self.recipe(from: tree, source: source), after.method.name == before.method.name else { return }
        let entry = try methods.entry(named: after.method.name)
        func views(_ recipe: Recipe, _ own: ViewRecipe?) throws -> ViewRecipe? {
            try entry.views(recipe.method.settings, imageSize: recipe.data.imageSize, replacing: own) as? ViewRecipe
        }
        guard let (old, new) = try? (views(before, nil), views(after, nil)), old != new,
            let (oldOwn, newOwn) = try? (views(before, recipe.views), views(after, recipe.views)), oldOwn == newOwn
        else { return }
        throw RecipeError(
            "\(source): '\(change)' changes views that the method makes, and this recipe has `views` of its own: change those, or leave "
                + "them out with --set views=null")
    }

    private func recipe(from tree: [String: Any], source: String) throws -> Recipe {
        var tree = tree
        let block = tree["method"]
        if let name = block as? String { tree["method"] = ["name": name] }
        guard let choice = tree["method"] as? [String: Any], let name = choice["name"] as? String else {
            throw RecipeError("\(source): `method:` is missing; give it a name, such as `method: {name: simclr}`")
        }
        let entry: MethodEntry
        do { entry = try methods.entry(named: name) } catch { throw RecipeError("\(source): \(error)") }

        let defaults = Recipe(method: MethodChoice(entry))
        let merged = try SettingsTree.merge(tree, over: defaults, source: source)
        let decoder = JSONDecoder()
        decoder.userInfo[.methods] = methods
        let recipe: Recipe
        do {
            recipe = try decoder.decode(Recipe.self, from: JSONSerialization.data(withJSONObject: merged))
        } catch let error as DecodingError {
            throw RecipeError("\(source): \(SettingsTree.explain(error, in: merged))")
        }
        do { try recipe.validate(entry) } catch { throw RecipeError("\(source): \(error)") }
        return recipe
    }

    /// The whole recipe as YAML; reading it gives the recipe again.
    public static func text(_ recipe: Recipe) throws -> String {
        let encoder = YAMLEncoder()
        encoder.options.allowUnicode = true
        guard let node = try Yams.compose(yaml: encoder.encode(recipe)) else { throw RecipeError("the recipe is empty") }
        let exact = try JSONSerialization.jsonObject(with: JSONEncoder().encode(recipe))
        return try Yams.serialize(node: readable(node, exact), width: -1, allowUnicode: true)
    }

    /// Numbers as a person writes them, and to the last digit: Yams has 0.5 as `5e-1` and 4/3 as 1.33333333333333, which is
    /// another number when it is read again.
    private static func readable(_ node: Node, _ exact: Any?) -> Node {
        switch node {
        case .mapping(let map):
            let values = exact as? [String: Any]
            return .mapping(.init(map.map { ($0.key, readable($0.value, $0.key.string.flatMap { values?[$0] })) }, map.tag, map.style))
        case .sequence(let list):
            let values = exact as? [Any] ?? []
            let items = list.enumerated().map { readable($1, $0 < values.count ? values[$0] : nil) }
            let isFlat = items.allSatisfy { $0.scalar != nil }
            return .sequence(.init(items, list.tag, isFlat ? .flow : list.style))
        case .scalar(var scalar):
            let isNumber = (scalar.style == .plain || scalar.style == .any) && Double(scalar.string) != nil
            // Whole numbers stand as they are: a seed may have more digits than a Double.
            if isNumber, !scalar.string.allSatisfy({ $0.isNumber || $0 == "-" }), let value = exact as? Double {
                scalar.string = text(value)
            }
            return .scalar(scalar)
        default: return node
        }
    }

    /// `0.5`, `1`, `3.0e-5`: with a point, without which YAML 1.1 takes an exponent for a word.
    private static func text(_ value: Double) -> String {
        if value == value.rounded(), abs(value) < 1e15 { return String(Int(value)) }
        let parts = "\(value)".split(separator: "e")
        guard parts.count == 2, let exponent = Int(parts[1]) else { return "\(value)" }
        return "\(parts[0])\(parts[0].contains(".") ? "" : ".0")e\(exponent < 0 ? "" : "+")\(exponent)"
    }

    private static func line(_ error: YamlError) -> String {
        "\(error)".split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty && $0 != "^" }
            .prefix(2).joined(separator: " ")
    }
}
