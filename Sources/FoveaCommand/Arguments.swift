import ArgumentParser
import Foundation

/// The command line as the shell gave it, looked over before it is parsed.
enum Arguments {
    /// - Returns: the arguments, with negative numbers joined to their options: `--epochs -3` says something about epochs and
    ///   is not a forgotten value followed by an option `-3`.
    /// - Throws: for an empty argument, which is what a shell makes of a variable that is not set: `--out "$OUT"` would write
    ///   into the root folder.
    static func prepared(_ given: [String]) throws(ValidationError) -> [String] {
        var prepared: [String] = []
        for (index, argument) in given.enumerated() {
            let before = prepared.last ?? ""
            let expectsValue = before.hasPrefix("--") && before.count > 2 && !before.contains("=")
            var (name, value) = (expectsValue ? before : "argument \(index + 1)", argument[...])
            if argument.hasPrefix("--"), let equals = argument.firstIndex(of: "=") {
                (name, value) = (String(argument[..<equals]), argument[argument.index(after: equals)...])
            }
            guard !value.allSatisfy(\.isWhitespace) else {
                throw ValidationError("\(name) is empty: give it a value (a shell variable that is not set is empty)")
            }
            if expectsValue, argument.hasPrefix("-"), Double(argument) != nil {
                prepared[prepared.count - 1] = "\(before)=\(argument)"
            } else {
                prepared.append(argument)
            }
        }
        return prepared
    }
}
