import Foundation

@testable import Views

/// What data sets told while they were opened.
final class ToldLines: @unchecked Sendable {
    private let lock = NSLock()
    private var told: [String] = []

    var lines: [String] { lock.withLock { told } }
    var options: DatasetOptions { DatasetOptions(note: { line in self.lock.withLock { self.told.append(line) } }) }
}
