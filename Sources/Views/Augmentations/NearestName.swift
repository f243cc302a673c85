/// The likeliest name meant by a misspelt one, for error messages.
public enum NearestName {
    /// The candidate with the smallest edit distance, if that is small enough to be a slip.
    public static func suggestion(for name: String, among candidates: [String]) -> String? {
        let distances = candidates.map { (name: $0, distance: distance(Array(name.lowercased()), Array($0.lowercased()))) }
        guard let best = distances.min(by: { $0.distance < $1.distance }) else { return nil }
        return best.distance <= max(2, name.count / 2) ? best.name : nil
    }

    /// `"unknown kind 'x'; did you mean 'y'?"`, or the list of what there is.
    public static func message(unknown kind: String, _ name: String, among candidates: [String]) -> String {
        if let nearest = suggestion(for: name, among: candidates) { return "unknown \(kind) '\(name)'; did you mean '\(nearest)'?" }
        return "unknown \(kind) '\(name)'; there are \(candidates.sorted().joined(separator: ", "))"
    }

    /// Levenshtein's distance.
    static func distance(_ a: [Character], _ b: [Character]) -> Int {
        var row = Array(0...b.count)
        for i in a.indices {
            var diagonal = row[0]
            row[0] = i + 1
            for j in b.indices {
                let substitution = diagonal + (a[i] == b[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substitution, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[b.count]
    }
}
