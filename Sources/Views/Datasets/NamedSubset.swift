internal import Foundation

/// A list of images by name, one to a line, as the published subsets of ImageNet's labels are (SimCLR's 1 % and 10 %).
public struct NamedSubset: Sendable {
    public let path: String
    public let names: [(line: Int, name: String)]

    /// Empty lines and what follows `#` at a line's beginning are passed over.
    public init(_ path: String) throws(DatasetError) {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw .unreadable(path: path, reason: "it is not there or no text")
        }
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated()
        self.path = path
        names = lines.map { ($0 + 1, $1.trimmingCharacters(in: .whitespaces)) }.filter { !$0.1.isEmpty && !$0.1.hasPrefix("#") }
    }
}

extension ImageDataset {
    /// The pictures that a list names, in the data set's order: by their path below the root, or by the file's own name where only
    /// one has it.
    /// - Throws: `DatasetError` for a name that no picture has, and for one that several have.
    public func subset(named list: NamedSubset) throws(DatasetError) -> SubsetDataset {
        var places: [Substring: [Int]] = [:]
        let names = (0..<count).map { name(at: $0) }
        for (index, name) in names.enumerated() {
            places[name[...], default: []].append(index)
            if let slash = name.lastIndex(of: "/") { places[name[name.index(after: slash)...], default: []].append(index) }
        }
        var chosen: Set<Int> = []
        for (line, name) in list.names {
            let found = places[name[...]] ?? []
            guard found.count == 1 else {
                let reason =
                    found.isEmpty
                    ? "no training image is called '\(name)'; they have names such as '\(names.first ?? "")'"
                    : "\(found.count) training images are called '\(name)': write it with its folder"
                throw .badLine(file: list.path, line: line, reason: reason)
            }
            chosen.insert(found[0])
        }
        guard !chosen.isEmpty else { throw .broken(file: list.path, reason: "it names no images: write one name to a line") }
        return subset(chosen.sorted())
    }
}
