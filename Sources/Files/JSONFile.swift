internal import Foundation

/// Records as JSON files, keys in order, so that equal content is equal bytes.
public enum JSONFile {
    /// - Throws: when the file cannot be written, or a value is not a number that JSON has.
    public static func write(_ value: some Encodable, to path: String) throws(FileError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else {
            throw FileError(path: path, description: "cannot write \(path): a value in it is not a finite number")
        }
        try AtomicFile.write([UInt8](data) + [0x0a], to: path)
    }
}
