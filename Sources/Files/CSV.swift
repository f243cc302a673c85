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
        let bytes = Array(text.utf8)
        return try bytes.withUnsafeBufferPointer { bytes throws(Failure) -> [[String]] in
            var reader = Reader(UnsafeRawBufferPointer(bytes))
            var records: [[String]] = []
            while let record = try reader.next() { records.append(record.fields) }
            return records
        }
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

    fileprivate static let comma = UInt8(ascii: ",")
    fileprivate static let quote = UInt8(ascii: "\"")
    fileprivate static let newline = UInt8(ascii: "\n")
    fileprivate static let carriageReturn = UInt8(ascii: "\r")
}

extension CSV {
    /// Record by record, for lists of millions of lines. The bytes must outlive the reader.
    public struct Reader {
        private let bytes: UnsafeRawBufferPointer
        private var position = 0
        private var line = 1

        public init(_ bytes: UnsafeRawBufferPointer) {
            self.bytes = bytes
            if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        }

        /// The next record and the line that it begins on; nil at the end.
        public mutating func next() throws(Failure) -> (line: Int, fields: [String])? {
            while position < bytes.count, isBreak(bytes[position]) { passBreak() }
            guard position < bytes.count else { return nil }
            let start = line
            var fields: [String] = []
            while true {
                fields.append(try field())
                guard position < bytes.count, bytes[position] == comma else { return (start, fields) }
                position += 1
            }
        }

        private func isBreak(_ byte: UInt8) -> Bool { byte == newline || byte == carriageReturn }

        /// CR LF is one break, a CR or LF by itself as well.
        private mutating func passBreak() {
            let isReturn = bytes[position] == carriageReturn
            position += 1
            if isReturn, position < bytes.count, bytes[position] == newline { position += 1 }
            line += 1
        }

        /// Leaves the position on the comma or line break behind the field.
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
                guard position == bytes.count || bytes[position] == comma || isBreak(bytes[position]) else {
                    throw Failure(line: line, reason: "text after a closing quote: double the quotes inside a field")
                }
                return String(decoding: value, as: UTF8.self)
            }
            throw Failure(line: opened, reason: "a quote is opened and never closed")
        }

        private mutating func bareField() throws(Failure) -> String {
            let start = position
            while position < bytes.count, bytes[position] != comma, !isBreak(bytes[position]) {
                if bytes[position] == quote {
                    throw Failure(line: line, reason: "a quote inside an unquoted field: quote the field and double the quotes inside")
                }
                position += 1
            }
            return String(decoding: bytes[start..<position], as: UTF8.self)
        }
    }
}
