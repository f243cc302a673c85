import Fovea
import Foundation

extension TextTable {
    /// As wide as the terminal, with long cells in several lines; in files and pipes one line for each row. COLUMNS overrides
    /// either, and nothing is left out.
    func forOutput() -> String {
        var table = self
        table.wraps = true
        table.maximumWidth = Terminal.columns ?? .max
        return table.render()
    }
}

enum Terminal {
    /// Nil where what is printed goes to no terminal.
    static var columns: Int? {
        if let given = ProcessInfo.processInfo.environment["COLUMNS"].flatMap({ Int($0) }), given > 0 { return given }
        guard isatty(STDOUT_FILENO) == 1 else { return nil }
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// A line on standard error. What was printed before comes before it, also where both go to one file.
    static func say(_ line: String) { write(line + "\n") }

    /// What a person should know of the numbers.
    static func note(_ line: String) { say(columns.map { Paragraph.text("note: \(line)", width: $0) } ?? "note: \(line)") }

    /// A sentence among results, as wide as these.
    static func paragraph(_ sentence: String) { print(Paragraph.text(sentence, width: columns ?? 100)) }

    /// Text without a line's end, such as a bar that is drawn over.
    static func write(_ text: String) {
        fflush(nil)
        FileHandle.standardError.write(Data(text.utf8))
    }
}

extension DatasetOptions {
    /// Tells on the terminal what is left out of a data set, or may have been meant otherwise.
    static var telling: DatasetOptions { DatasetOptions(note: { Terminal.note($0) }) }
}
