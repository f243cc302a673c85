/// Suggestions for mistyped names.
public enum Spelling {
    /// The name with the fewest edits (insert, delete, replace, swap of neighbours), if that is few enough to be a slip.
    public static func nearest(to name: String, among names: [String]) -> String? {
        let lower = name.lowercased()
        let scored = names.map { (name: $0, distance: distance(Array(lower.utf8), Array($0.lowercased().utf8))) }
        guard let best = scored.min(by: { ($0.distance, $0.name) < ($1.distance, $1.name) }) else { return nil }
        return best.distance <= max(2, name.utf8.count / 3) ? best.name : nil
    }

    /// `"unknown kind 'x'; did you mean 'y'?"`, or the list of what there is.
    public static func unknown(_ kind: String, _ name: String, among names: [String]) -> String {
        if let nearest = nearest(to: name, among: names) { return "unknown \(kind) '\(name)'; did you mean '\(nearest)'?" }
        return "unknown \(kind) '\(name)'; there are \(names.sorted().joined(separator: ", "))"
    }

    /// Optimal string alignment distance.
    static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var before: [Int] = []
        var last = Array(0...b.count)
        for i in 0..<a.count {
            var row = [i + 1] + [Int](repeating: 0, count: b.count)
            for j in 0..<b.count {
                row[j + 1] = Swift.min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { row[j + 1] = Swift.min(row[j + 1], before[j - 1] + 1) }
            }
            before = last
            last = row
        }
        return last[b.count]
    }
}
