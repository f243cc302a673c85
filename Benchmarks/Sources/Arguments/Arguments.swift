import Foundation

/// What a benchmark was given; anything that it cannot read ends it with one line.
public struct Arguments: Sendable {
    private var options: [String: String] = [:]
    /// Those without a name.
    public private(set) var places: [String] = []
    private let usage: String

    /// - names: of options, each with a value: `--batch 128`.
    public init(usage: String, names: [String] = [], places count: ClosedRange<Int> = 0...0) {
        self.usage = usage
        var rest = CommandLine.arguments.dropFirst()[...]
        while let word = rest.popFirst() {
            guard word.hasPrefix("--") else {
                places.append(word)
                continue
            }
            guard names.contains(String(word.dropFirst(2))) else { stop("no option \(word)") }
            guard let value = rest.popFirst() else { stop("\(word) needs a value") }
            options[String(word.dropFirst(2))] = value
        }
        if !count.contains(places.count) { stop("\(places.count) arguments") }
    }

    public func text(_ name: String) -> String? { options[name] }

    public func number(_ name: String, default value: Int, atLeast least: Int = 1) -> Int {
        options[name].map { read($0, "--\(name)", atLeast: least) } ?? value
    }

    /// The argument at a place.
    public func number(at place: Int, default value: Int, atLeast least: Int = 1) -> Int {
        place < places.count ? read(places[place], "argument \(place + 1)", atLeast: least) : value
    }

    public func choice<Choice: RawRepresentable & CaseIterable>(_ name: String, default value: Choice) -> Choice
    where Choice.RawValue == String {
        guard let word = options[name] else { return value }
        let words = Choice.allCases.map(\.rawValue)
        guard let choice = Choice(rawValue: word) else { stop("--\(name) must be one of \(words.joined(separator: ", ")), not \(word)") }
        return choice
    }

    public func choice(_ name: String, of words: [String]) -> String {
        let word = options[name] ?? words[0]
        if !words.contains(word) { stop("--\(name) must be one of \(words.joined(separator: ", ")), not \(word)") }
        return word
    }

    /// What is thrown becomes the one line.
    public func orStop<Value>(_ body: () throws -> Value) -> Value {
        do { return try body() } catch { stop("\(error)") }
    }

    public func stop(_ message: String) -> Never {
        FileHandle.standardError.write(Data("\(message) (\(usage))\n".utf8))
        exit(2)
    }

    private func read(_ word: String, _ name: String, atLeast least: Int) -> Int {
        guard let number = Int(word), number >= least else { stop("\(name) must be a number of at least \(least), not \(word)") }
        return number
    }
}
