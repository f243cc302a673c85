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
}
