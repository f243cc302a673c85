public import Files

/// Results as encoder × protocol: what a reader compares stands in one column.
public struct ResultsPivot: Sendable, Equatable {
    public let encoders: [String]
    public let columns: [String]
    /// The protocol of each column.
    private let protocols: [String]
    /// `cells[encoder][column]`, nil where nothing was measured.
    public let cells: [[EvaluationResult?]]

    public init(_ results: [EvaluationResult]) {
        let encoders = results.map(\.encoder).uniqued()
        let groups = results.map(Group.init).uniqued()
        let splits = groups.map(\.split).uniqued()
        var columns: [String] = []
        var protocols: [String] = []
        var picked: [[EvaluationResult]] = []
        for group in groups {
            let rows = results.filter { Group($0) == group }
            let settings = rows.map(\.setting).uniqued()
            // A setting may be chosen for each encoder by itself (the best k, the best learning rate). As long as no encoder has
            // two, they are one column: the protocol is the same.
            let severalPerEncoder = encoders.contains { encoder in
                rows.filter { $0.encoder == encoder }.map(\.setting).uniqued().count > 1
            }
            for choice in severalPerEncoder ? settings.map({ [$0] }) : [settings] {
                var parts = [EvaluationResult.title(ofProtocol: group.protocolName)]
                if choice.count == 1, let setting = choice[0], !setting.isEmpty { parts.append(setting) }
                if group.metric != "top-1" { parts.append(group.metric) }
                if splits.count > 1, let split = group.split { parts.append(split) }
                columns.append(parts.joined(separator: " "))
                protocols.append(group.protocolName)
                picked.append(rows.filter { choice.contains($0.setting) })
            }
        }
        self.encoders = encoders
        self.columns = columns
        self.protocols = protocols
        // The last of equal rows: an evaluation that was done again.
        cells = encoders.map { encoder in picked.map { rows in rows.last { $0.encoder == encoder } } }
    }

    /// For the terminal: such as `42.1 % (40.0–44.2)`. Columns that do not fit beside each other follow in further blocks; a
    /// protocol that alone has more than fit is a table of its own, columns down and encoders across.
    public func text(width: Int = 100) -> String {
        let texts = cells.map { row in row.map { $0?.valueAndInterval ?? TextTable.missing } }
        func widest(_ cells: [String]) -> Int { cells.map(DisplayWidth.of).max() ?? 0 }
        // Names as long as paths must not push the numbers out.
        let names = encoders.map { DisplayWidth.truncated($0.withoutControls, to: 32) }
        let first = widest(["encoder"] + names)
        var blocks: [[Int]] = []
        var used = width
        func needed(_ column: Int) -> Int { 2 + widest([columns[column]] + texts.map { $0[column] }) }
        let across = zip(names, texts).reduce(widest(["metric"] + columns)) { $0 + 2 + widest([$1.0] + $1.1) }
        let long = Set(protocols).filter { name in
            let own = columns.indices.filter { protocols[$0] == name }
            return across <= width && own.reduce(first) { $0 + needed($1) } > width
        }
        for column in columns.indices where !long.contains(protocols[column]) {
            let needed = needed(column)
            if used + needed > width || blocks.isEmpty {
                blocks.append([])
                used = first
            }
            blocks[blocks.count - 1].append(column)
            used += needed
        }
        let tables = blocks.map { block in
            TextTable(
                ["encoder"] + block.map { columns[$0] },
                rows: encoders.indices.map { encoder in [names[encoder]] + block.map { texts[encoder][$0] } },
                maximumWidth: width
            ).render()
        }
        let turned = protocols.uniqued().filter(long.contains).map { name in
            TextTable(
                ["metric"] + names,
                rows: columns.indices.filter { protocols[$0] == name }.map { column in [columns[column]] + texts.map { $0[column] } },
                maximumWidth: width
            ).render()
        }
        return (tables + turned).joined(separator: "\n\n")
    }

    private struct Group: Hashable {
        var protocolName: String
        var metric: String
        var split: String?

        init(_ result: EvaluationResult) {
            protocolName = result.protocolName
            metric = result.metric
            split = result.split
        }
    }
}

extension Sequence where Element: Hashable {
    /// Each element once, in order of appearance.
    func uniqued() -> [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}
