import Fovea

/// The images that a command had to leave out, each once: counted on the terminal, also with --quiet, because the numbers are
/// without them, and listed beside the results.
final class UnreadableImages {
    private var found: [UnreadableLog.Entry] = []
    private var known: Set<String> = []
    private var hasRead = false

    /// What one of several passes over the images could not read.
    func add(_ entries: [UnreadableLog.Entry]) {
        hasRead = true
        for entry in entries where known.insert(entry.description).inserted { found.append(entry) }
    }

    /// - Parameter folder: where results are written, if they are.
    func tell(in folder: String?) throws { try tell(listing: folder.map { "\($0)/unreadable.csv" }) }

    /// - Parameter file: the list, if there is to be one.
    func tell(listing file: String?) throws {
        // Also when there are none: an earlier list is not of these results. It is, where nothing was measured again.
        if let file, hasRead {
            try AtomicFile.write(CSV.write([["name", "reason"]] + found.map { [$0.name, $0.reason] }, lineEnding: "\n"), to: file)
        }
        guard let first = found.first else { return }
        let count = found.count == 1 ? "1 image" : "\(Format.count(found.count)) images"
        Terminal.note("\(count) could not be read (first: \(first))" + (file.map { "; \($0) lists what was left out" } ?? ""))
    }
}
