internal import Foundation

/// Folders for what is not kept: removed when done, and those of killed processes when the next one is made.
enum ScratchFolder {
    private static let prefix = "fovea-finetune-"

    /// A new name below the system's temporary folder.
    static func make(in parent: String = FileManager.default.temporaryDirectory.path) -> String {
        removeAbandoned(in: parent)
        return "\(parent)/\(prefix)\(getpid())-\(UUID().uuidString)"
    }

    /// Those of processes that no longer are.
    static func removeAbandoned(in parent: String) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? [] where name.hasPrefix(prefix) {
            guard let owner = name.dropFirst(prefix.count).split(separator: "-").first.flatMap({ pid_t($0) }), owner > 0 else { continue }
            if kill(owner, 0) == -1, errno == ESRCH { try? FileManager.default.removeItem(atPath: "\(parent)/\(name)") }
        }
    }
}
