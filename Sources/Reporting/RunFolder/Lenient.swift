/// A row of a JSON array that may be damaged without costing its neighbours.
enum Lenient<Value: Decodable & Sendable>: Decodable, Sendable {
    case value(Value)
    case damaged(String)

    init(from decoder: any Decoder) throws {
        do { self = .value(try Value(from: decoder)) } catch {
            self = .damaged(DecodingFailure.line(error, below: decoder.codingPath.count))
        }
    }

    static func values(_ rows: [Lenient], what: String, file: String, note: (String) -> Void) -> [Value] {
        var values: [Value] = []
        var first: String?
        for (index, row) in rows.enumerated() {
            switch row {
            case .value(let value): values.append(value)
            case .damaged(let reason): first = first ?? "\(what) \(index + 1): \(reason)"
            }
        }
        if let first {
            let damaged = rows.count - values.count
            note("\(file): \(damaged) of \(rows.count) \(what)s \(damaged == 1 ? "is" : "are") damaged and left out (\(first))")
        }
        return values
    }
}

/// What a decoder found wrong, in one line without Swift's type names.
enum DecodingFailure {
    /// - Parameter depth: how much of the path to the fault the reader is told elsewhere.
    static func line(_ error: any Error, below depth: Int = 0) -> String {
        func place(_ path: [any CodingKey], _ what: String) -> String {
            let place = path.dropFirst(depth).map { key in key.intValue.map { "[\($0)]" } ?? ".\(key.stringValue)" }.joined()
            return place.isEmpty ? what : "\(place.hasPrefix(".") ? String(place.dropFirst()) : place): \(what)"
        }
        switch error {
        case DecodingError.keyNotFound(let key, let context):
            return place(context.codingPath, "'\(key.stringValue)' is missing")
        case DecodingError.valueNotFound(_, let context):
            return place(context.codingPath, "null where a value must be")
        case DecodingError.typeMismatch(let type, let context):
            return place(context.codingPath, "not \(name(of: type))")
        case DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty:
            return place(context.codingPath, "a value that is not known here")
        default:
            return "it is not JSON"
        }
    }

    private static func name(of type: any Any.Type) -> String {
        switch type {
        case is String.Type: "text"
        case is Double.Type, is Int.Type: "a number"
        case is any AnyArray.Type: "a list"
        default: "an object"
        }
    }
}

private protocol AnyArray {}
extension Array: AnyArray {}
