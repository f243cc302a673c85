/// Comma-separated values as RFC 4180 has them: quoted fields may hold commas, quotes (doubled) and line breaks.
public enum CSV {
    public struct Failure: Error, Equatable, CustomStringConvertible {
        /// Counted from 1, as editors do.
        public var line: Int
        public var reason: String

        public var description: String { "line \(line): \(reason)" }
    }

    /// All records, the header among them. Lines may end with CRLF or LF; a leading byte order mark and empty lines are skipped.
    public static func parse(_ text: String) throws(Failure) -> [[String]] {
        var parser = Parser(bytes: Array(text.utf8))
        return try parser.records()
    }

    /// `records` as text. Fields are quoted where RFC 4180 asks for it, and where a leading or trailing space would be lost.
    public static func write(_ records: [[String]], lineEnding: String = "\r\n") -> String {
        records.map { $0.map(field).joined(separator: ",") + lineEnding }.joined()
    }

    private static func field(_ text: String) -> String {
        // Bytes, not characters: CR LF is one character in Swift and would hide both.
        let special = text.utf8.contains { $0 == comma || $0 == quote || $0 == newline || $0 == carriageReturn }
        guard special || text.first == " " || text.last == " " else { return text }
        return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }

    private static let comma = UInt8(ascii: ",")
    private static let quote = UInt8(ascii: "\"")
    private static let newline = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")

    private struct Parser {
        let bytes: [UInt8]
        var position = 0
        var line = 1

        init(bytes: [UInt8]) {
            self.bytes = bytes
            if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        }

        mutating func records() throws(Failure) -> [[String]] {
            var records: [[String]] = []
            while position < bytes.count {
                let record = try record()
                if record != [""] { records.append(record) }
            }
            return records
        }

        private mutating func record() throws(Failure) -> [String] {
            var fields: [String] = []
            while true {
                fields.append(try field())
                guard position < bytes.count else { return fields }
                let byte = bytes[position]
                position += 1
                if byte == comma { continue }
                if byte == carriageReturn, position < bytes.count, bytes[position] == newline { position += 1 }
                line += 1
                return fields
            }
        }

        private mutating func field() throws(Failure) -> String {
            guard position < bytes.count, bytes[position] == quote else { return try bareField() }
            let opened = line
            position += 1
            var value: [UInt8] = []
            while position < bytes.count {
                let byte = bytes[position]
                position += 1
                guard byte == quote else {
                    if byte == newline { line += 1 }
                    value.append(byte)
                    continue
                }
                if position < bytes.count, bytes[position] == quote {
                    value.append(quote)
                    position += 1
                    continue
                }
                guard position == bytes.count || [comma, newline, carriageReturn].contains(bytes[position]) else {
                    throw Failure(line: line, reason: "text after a closing quote")
                }
                return String(decoding: value, as: UTF8.self)
            }
            throw Failure(line: opened, reason: "a quote is opened and never closed")
        }

        private mutating func bareField() throws(Failure) -> String {
            let start = position
            while position < bytes.count, ![comma, newline, carriageReturn].contains(bytes[position]) {
                if bytes[position] == quote { throw Failure(line: line, reason: "a quote inside an unquoted field") }
                position += 1
            }
            return String(decoding: bytes[start..<position], as: UTF8.self)
        }
    }
}
