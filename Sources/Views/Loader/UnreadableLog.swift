import Foundation

/// The images that could not be read, each noted once and not tried again.
public final class UnreadableLog: @unchecked Sendable {
    public struct Entry: Sendable, Equatable, CustomStringConvertible {
        public let index: Int
        public let name: String
        public let reason: String
        public init(index: Int, name: String, reason: String) {
            self.index = index
            self.name = name
            self.reason = reason
        }

        public var description: String { "\(name): \(reason)" }
    }

    private let lock = NSLock()
    private var byIndex: [Int: Entry] = [:]

    public init() {}

    public var count: Int { lock.withLock { byIndex.count } }
    /// In the order of the dataset, whatever order they were met in.
    public var entries: [Entry] { lock.withLock { byIndex.values.sorted { $0.index < $1.index } } }

    /// Takes over what an interrupted run had noted.
    public func restore(_ entries: [Entry]) {
        lock.withLock { for entry in entries { byIndex[entry.index] = entry } }
    }

    func contains(_ index: Int) -> Bool { lock.withLock { byIndex[index] != nil } }
    func record(_ entry: Entry) { lock.withLock { byIndex[entry.index] = entry } }
}
