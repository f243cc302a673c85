/// A sentence for the terminal.
public enum Paragraph {
    /// Lines of at most `width` columns, broken between words; those after the first stand in by two.
    public static func text(_ sentence: String, width: Int = 100) -> String {
        let sentence = sentence.withoutControls
        guard DisplayWidth.of(sentence) > width else { return sentence }
        return DisplayWidth.wrapped(sentence, to: width - 2).joined(separator: "\n  ")
    }
}
