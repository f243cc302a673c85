internal import Files
internal import Foundation
internal import Yams

/// Settings as nested mappings, before they are typed: what a file says, over what holds by default.
enum SettingsTree {
    /// `training.epochs=3` into the tree. The value is read as YAML, so that `[1, 2]` and `{a: 1}` work.
    static func apply(_ change: String, to tree: inout [String: Any]) throws(RecipeError) {
        guard let equals = change.firstIndex(of: "="), equals > change.startIndex else {
            throw RecipeError("--set \(change): write it as key=value, such as training.epochs=50")
        }
        let path = change[..<equals].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard path.allSatisfy({ !$0.isEmpty }) else { throw RecipeError("--set \(change): the key has an empty part") }
        let text = String(change[change.index(after: equals)...])
        let value: Any
        do { value = try Yams.load(yaml: text) ?? NSNull() } catch { throw RecipeError("--set \(change): the value is not YAML") }
        set(value, at: path[...], in: &tree)
    }

    private static func set(_ value: Any, at path: ArraySlice<String>, in tree: inout [String: Any]) {
        let key = path.first!
        if path.count == 1 {
            tree[key] = value
            return
        }
        var below = tree[key] as? [String: Any] ?? (key == "method" && tree[key] is String ? ["name": tree[key]!] : [:])
        set(value, at: path.dropFirst(), in: &below)
        tree[key] = below
    }

    /// `tree` over the encoded `defaults`.
    /// - Throws: for a key that `defaults` does not have, with the nearest that it has.
    static func merge(_ tree: [String: Any], over defaults: Recipe, source: String) throws -> [String: Any] {
        let encoded = try JSONSerialization.jsonObject(with: JSONEncoder().encode(defaults))
        return try merge(tree, over: encoded as! [String: Any], shape: defaults, path: "", source: source)
    }

    private static func merge(
        _ tree: [String: Any], over defaults: [String: Any], shape: Any?, path: String, source: String
    ) throws(RecipeError) -> [String: Any] {
        var merged = defaults
        let fields = fields(of: shape)
        let known = Set(defaults.keys).union(fields.keys)
        for (key, value) in tree.sorted(by: { $0.key < $1.key }) {
            let name = path.isEmpty ? key : "\(path).\(key)"
            guard known.contains(key) else {
                let nearest = Spelling.nearest(to: key, among: known.sorted()).map { "; did you mean '\($0)'?" }
                let all = "; known here: \(known.sorted().joined(separator: ", "))"
                throw RecipeError("\(source): there is no setting '\(name)'\(nearest ?? all)")
            }
            if value is NSNull {
                merged[key] = nil
            } else if let below = value as? [String: Any], let own = defaults[key] as? [String: Any], !isEnumeration(own, below) {
                merged[key] = try merge(below, over: own, shape: fields[key], path: name, source: source)
            } else {
                guard isFinite(value) else { throw RecipeError("\(source): '\(name)' must be a finite number") }
                if let field = fields[key], let choices = choices(of: field), !choices.contains("\(value)") {
                    let nearest = Spelling.nearest(to: "\(value)", among: choices).map { "; did you mean '\($0)'?" } ?? ""
                    throw RecipeError("\(source): '\(name)' must be one of \(choices.joined(separator: ", ")), not '\(value)'\(nearest)")
                }
                // The decoder forgets where a number stood that does not fit.
                if let field = fields[key], !fits(value, field) {
                    throw RecipeError("\(source): '\(name)' must be a whole number, not '\(value)'")
                }
                merged[key] = fields[key] is UInt64 ? large(value) ?? plain(value) : plain(value)
            }
        }
        return merged
    }

    /// `.inf` and `.nan`, which YAML knows, are no settings.
    private static func isFinite(_ value: Any) -> Bool {
        switch value {
        case let list as [Any]: list.allSatisfy(isFinite)
        case let map as [String: Any]: map.values.allSatisfy(isFinite)
        case let number as Double: number.isFinite
        default: true
        }
    }

    /// Whether a number is a whole one where `field`, or what it is nil of, is.
    private static func fits(_ value: Any, _ field: Any) -> Bool {
        switch type(of: field) {
        case is Int.Type, is Int?.Type: (value as? Double).map { Int(exactly: $0) != nil } ?? !(value is UInt)
        case is UInt64.Type: (value as? Int).map { $0 >= 0 } ?? (value as? Double).map { UInt64(exactly: $0) != nil } ?? true
        default: true
        }
    }

    /// What a field that names one of several things, or is nil of such, can be.
    private static func choices(of field: Any) -> [String]? {
        func names<Choice: CaseIterable>(_ type: Choice.Type) -> [String]? {
            let names = type.allCases.compactMap { ($0 as? any RawRepresentable)?.rawValue as? String }
            return names.isEmpty ? nil : names
        }
        let own = type(of: field)
        let wrapped: Any.Type = (own as? any Absent.Type)?.wrapped ?? own
        return (wrapped as? any CaseIterable.Type).flatMap { names($0) }
    }

    /// A whole number beyond Int, which Yams leaves as text.
    private static func large(_ value: Any) -> UInt64? { UInt64("\(value)").flatMap { $0 > UInt64(Int.max) ? $0 : nil } }

    /// Dates and the like, which YAML knows and JSON does not, become text.
    private static func plain(_ value: Any) -> Any {
        switch value {
        case let list as [Any]: list.map(plain)
        case let map as [String: Any]: map.mapValues(plain)
        case is String, is Int, is Double, is Bool, is NSNull, is UInt: value
        default: "\(value)"
        }
    }

    /// The stored properties by name, those that are nil (and so not encoded) included; a method's settings stand beside
    /// its name.
    private static func fields(of shape: Any?) -> [String: Any] {
        guard let shape else { return [:] }
        var fields: [String: Any] = [:]
        for child in Mirror(reflecting: shape).children {
            guard let label = child.label else { continue }
            fields[label] = child.value
        }
        if let choice = shape as? MethodChoice {
            fields["settings"] = nil
            fields.merge(self.fields(of: choice.settings)) { own, _ in own }
        }
        return fields
    }

    /// One key with a mapping below, such as `{cosine: {from: 1, to: 0}}`: another case replaces it whole.
    private static func isEnumeration(_ defaults: [String: Any], _ given: [String: Any]) -> Bool {
        defaults.count == 1 && defaults.values.first is [String: Any] && Set(defaults.keys) != Set(given.keys)
    }

    /// One line for a value of the wrong type.
    static func explain(_ error: DecodingError, in tree: [String: Any]) -> String {
        func name(_ path: [any CodingKey]) -> String {
            path.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".").replacingOccurrences(of: ".[", with: "[")
        }
        func found(_ path: [any CodingKey]) -> String {
            var value: Any? = tree
            for key in path {
                if let index = key.intValue, let list = value as? [Any], list.indices.contains(index) {
                    value = list[index]
                } else {
                    value = (value as? [String: Any])?[key.stringValue]
                }
            }
            return value.map { ", not '\($0)'" } ?? ""
        }
        switch error {
        case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
            return "'\(name(context.codingPath))' must be \(describe(type))\(found(context.codingPath))"
        case .keyNotFound(let key, let context): return "'\(name(context.codingPath + [key]))' is missing"
        case .dataCorrupted(let context):
            let place = name(context.codingPath)
            let words = context.debugDescription
            if words.hasPrefix("Cannot initialize") { return "'\(place)' has no such choice\(found(context.codingPath))" }
            // JSON's way to say so, without the place.
            if place.isEmpty { return "a number does not fit its setting: it is too large, or should be whole" }
            return "'\(place)': \(words)"
        @unknown default: return "\(error)"
        }
    }

    private static func describe(_ type: any Any.Type) -> String {
        switch type {
        case is Int.Type, is UInt64.Type: "a whole number"
        case is Double.Type, is Float.Type: "a number"
        case is Bool.Type: "true or false"
        case is String.Type: "text"
        case is [Any].Type: "a list"
        default: "\(type)".hasPrefix("Array") ? "a list" : "a mapping"
        }
    }
}

/// An optional, asked for the type that it is one of.
private protocol Absent {
    static var wrapped: Any.Type { get }
}

extension Optional: Absent {
    static var wrapped: Any.Type { Wrapped.self }
}
