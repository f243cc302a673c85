public import Files

/// What a reader of results should know: each note once, after the protocols that have it.
public enum ResultNotes {
    public static func lines(_ results: [EvaluationResult]) -> [String] {
        results.compactMap(\.note).uniqued().map { note in
            let protocols = results.filter { $0.note == note }.map(\.protocolTitle).uniqued()
            return "\(protocols.joined(separator: ", ")): \(note)".withoutControls
        }
    }
}
