/// Comma-separated values as RFC 4180 has them: fields may stand in quotes and then hold commas, line breaks and doubled
/// quotes. Lines may end in LF or CRLF; empty lines and a byte order mark are passed over.
struct CSVReader {
    private let bytes: UnsafeRawBufferPointer
    private let file: String
    private var position = 0
    private var line = 1

    init(_ bytes: UnsafeRawBufferPointer, file: String) {
        self.bytes = bytes
        self.file = file
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    /// The next row and the line that it begins on; nil at the end.
    mutating func next() throws(DatasetError) -> (line: Int, fields: [String])? {
        while position < bytes.count, isBreak(bytes[position]) {
            if bytes[position] == 10 { line += 1 }
            position += 1
        }
        guard position < bytes.count else { return nil }
        let start = line
        var fields: [String] = []
        while true {
            fields.append(try field(start))
            guard position < bytes.count, bytes[position] == UInt8(ascii: ",") else { return (start, fields) }
            position += 1
        }
    }

    private func isBreak(_ byte: UInt8) -> Bool { byte == 10 || byte == 13 }

    /// Leaves the position on the comma or line break behind the field.
    private mutating func field(_ start: Int) throws(DatasetError) -> String {
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
            let from = position
            while position < bytes.count, bytes[position] != UInt8(ascii: ","), !isBreak(bytes[position]) { position += 1 }
            return String(decoding: bytes[from..<position], as: UTF8.self)
        }
        position += 1
        var text: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte != UInt8(ascii: "\"") {
                if byte == 10 { line += 1 }
                text.append(byte)
            } else if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
                text.append(byte)
                position += 1
            } else {
                guard position == bytes.count || bytes[position] == UInt8(ascii: ",") || isBreak(bytes[position]) else {
                    throw .badLine(file: file, line: line, reason: "text behind a closing quote: double the quotes inside a field")
                }
                return String(decoding: text, as: UTF8.self)
            }
        }
        throw .badLine(file: file, line: start, reason: "a quote is opened but not closed")
    }
}
