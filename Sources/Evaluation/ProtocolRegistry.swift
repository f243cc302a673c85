internal import Files
internal import Foundation

/// The protocols by name, and their settings from text.
public enum ProtocolRegistry {
    public static let all: [any EvaluationProtocol.Type] = [
        NearestNeighbourProtocol.self, LinearProtocol.self, MLPProtocol.self, LowShotProtocol.self, ClusterProtocol.self,
        RetrievalProtocol.self, FineTuneProtocol.self, RobustnessProtocol.self,
        TransferProtocol.self,
    ]

    public static var names: [String] { all.map { $0.name } }

    /// kNN and linear probe.
    public static var standard: [any EvaluationProtocol] { [NearestNeighbourProtocol(), LinearProtocol()] }

    /// - Parameters:
    ///   - list: names with commas between them.
    ///   - changes: such as `lowshot.draws=5` or `finetune.shares=0.01,0.1`: the value is JSON, a string, or a list of these.
    /// - Throws: `EvaluationError` for unknown names and settings, with the nearest that there are.
    public static func protocols(_ list: String, changes: [String] = []) throws(EvaluationError) -> [any EvaluationProtocol] {
        var wanted: [String: [(key: String, value: String)]] = [:]
        for change in changes {
            let parts = change.split(separator: "=", maxSplits: 1).map(String.init)
            let keys = parts[0].split(separator: ".").map(String.init)
            guard parts.count == 2, keys.count == 2 else {
                throw EvaluationError("--set \(change): write it as protocol.setting=value, such as lowshot.draws=5")
            }
            wanted[keys[0], default: []].append((keys[1], parts[1]))
        }
        var chosen: [any EvaluationProtocol] = []
        for part in list.split(separator: ",") {
            let name = part.trimmingCharacters(in: .whitespaces)
            guard let type = all.first(where: { $0.name == name }) else {
                throw EvaluationError("--protocol \(name): there is \(names.joined(separator: ", "))\(nearest(name, names))")
            }
            if chosen.contains(where: { Swift.type(of: $0).name == name }) { continue }
            chosen.append(try make(type, wanted.removeValue(forKey: name) ?? []))
        }
        if chosen.isEmpty { throw EvaluationError("--protocol names nothing to measure: there is \(names.joined(separator: ", "))") }
        if let unused = wanted.keys.sorted().first {
            throw EvaluationError("--set \(unused).…: this protocol is not among --protocol \(list)")
        }
        return chosen
    }

    private static func make(
        _ type: any EvaluationProtocol.Type, _ changes: [(key: String, value: String)]
    ) throws(EvaluationError) -> any EvaluationProtocol {
        let defaults = type.init()
        if changes.isEmpty { return defaults }
        let values = Mirror(reflecting: defaults).children.compactMap { child in child.label.map { ($0, child.value) } }
        let known = values.map(\.0)
        var settings = (try? JSONSerialization.jsonObject(with: JSONEncoder().encode(defaults))) as? [String: Any] ?? [:]
        for (key, text) in changes {
            guard let value = values.first(where: { $0.0 == key })?.1 else {
                throw EvaluationError(
                    "--set \(type.name).\(key): there is no such setting\(nearest(key, known)); known: \(known.joined(separator: ", "))")
            }
            let isList = String(describing: Swift.type(of: value)).contains("Array<")
            settings[key] =
                isList && !text.hasPrefix("[") && text != "null" ? text.split(separator: ",").map { json(String($0)) } : json(text)
            guard let data = try? JSONSerialization.data(withJSONObject: settings), (try? JSONDecoder().decode(type, from: data)) != nil
            else {
                let usual = readable(value) ?? type.automaticValues[key] ?? "none"
                throw EvaluationError("--set \(type.name).\(key)=\(text) does not fit; the default is \(usual)")
            }
        }
        do {
            return try JSONDecoder().decode(type, from: JSONSerialization.data(withJSONObject: settings))
        } catch {
            throw EvaluationError("--set \(type.name): \(error)")
        }
    }

    /// A number, true, false, null or a list as such, and else a string.
    private static func json(_ text: String) -> Any {
        let text = text.trimmingCharacters(in: .whitespaces)
        return (try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)) ?? text
    }

    /// A setting as it is given; nil for one without a value.
    private static func readable(_ value: Any) -> String? {
        let mirror = Mirror(reflecting: value)
        if mirror.displayStyle == .optional { return mirror.children.first.flatMap { readable($0.value) } }
        if mirror.displayStyle == .collection { return mirror.children.compactMap { readable($0.value) }.joined(separator: ",") }
        return (value as? any RawRepresentable<String>)?.rawValue ?? "\(value)"
    }

    private static func nearest(_ name: String, _ all: [String]) -> String {
        Spelling.nearest(to: name, among: all).map { "; did you mean '\($0)'?" } ?? ""
    }
}
