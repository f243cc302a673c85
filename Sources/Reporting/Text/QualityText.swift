public import Files

extension QualityTable {
    static func title(_ measure: String) -> String {
        switch measure {
        case "rankme": "RankMe"
        case "alphareq": "α-ReQ"
        case "lidar": "LiDAR"
        default: measure
        }
    }

    /// Such as `ρ`, or `–` where it is not known.
    func correlation(_ measure: String) -> String {
        rankCorrelations[measure].map { NumberStyle.fixed($0, decimals: 2) } ?? TextTable.missing
    }

    static func text(_ value: Double?, _ measure: String) -> String {
        guard let value else { return TextTable.missing }
        return measure == "consistency" ? NumberStyle.percent.text(value) : NumberStyle.significant(value)
    }

    /// Checkpoints down, measures across; below them what each goes with and would choose.
    public var text: String {
        let hasAccuracy = rows.contains { $0.accuracy != nil }
        var table = TextTable(["checkpoint"] + measures.map(Self.title) + (hasAccuracy ? ["linear accuracy"] : []))
        for row in rows {
            var cells = [row.checkpoint] + measures.map { Self.text(row.values[$0], $0) }
            if hasAccuracy { cells.append(accuracy(row)) }
            table.append(cells)
        }
        if hasAccuracy { table.append(["Spearman's ρ"] + measures.map(correlation) + [""]) }
        table.append(["it would choose"] + measures.map { choices[$0] ?? TextTable.missing })
        return table.render()
    }

    func accuracy(_ row: Row) -> String {
        guard let value = row.accuracy else { return TextTable.missing }
        let style = NumberStyle.percent
        guard let lower = row.lower, let upper = row.upper else { return style.text(value) }
        return "\(style.text(value)) (\(style.bareText(lower))–\(style.bareText(upper)))"
    }
}
