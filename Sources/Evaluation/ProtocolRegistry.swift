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
    ///   - changes: such as `lowshot.draws=5`: the value is JSON, or else a string.
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
        let known = Mirror(reflecting: defaults).children.compactMap(\.label)
        var settings = (try? JSONSerialization.jsonObject(with: JSONEncoder().encode(defaults))) as? [String: Any] ?? [:]
        for (key, value) in changes {
            guard known.contains(key) else {
                throw EvaluationError(
                    "--set \(type.name).\(key): there is no such setting\(nearest(key, known)); known: \(known.joined(separator: ", "))")
            }
            settings[key] = (try? JSONSerialization.jsonObject(with: Data(value.utf8), options: .fragmentsAllowed)) ?? value
        }
        do {
            return try JSONDecoder().decode(type, from: JSONSerialization.data(withJSONObject: settings))
        } catch {
            let all = changes.map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
            throw EvaluationError("--set \(type.name): \(all) does not fit; the defaults are \(defaults)")
        }
    }

    private static func nearest(_ name: String, _ all: [String]) -> String {
        Spelling.nearest(to: name, among: all).map { "; did you mean '\($0)'?" } ?? ""
    }
}
