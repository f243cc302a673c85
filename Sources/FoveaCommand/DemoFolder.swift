import Fovea
import Foundation

/// Where a demo puts what it makes. Of what is there already only folders that a demo made are replaced, which it marks: a
/// mistyped --out must not cost anybody's files.
struct DemoFolder {
    private static let marker = ".made-by-fovea-demo"
    private let path: String
    private let data: String?

    /// - Parameter data: the images that the demo is given, which it must not touch.
    init(_ path: String, data: String?) {
        self.path = path
        self.data = data
    }

    private var folders: [String] { ["images", "simclr", "supervised"].map { "\(path)/\($0)" } }

    /// Refuses what clearing would remove wrongly; removes nothing.
    func check() throws {
        for folder in folders where FileManager.default.fileExists(atPath: folder) {
            guard FileManager.default.fileExists(atPath: "\(folder)/\(Self.marker)") else {
                throw FileError(
                    path: folder, description: "\(folder) is there already and no demo made it: choose another --out, or move it away")
            }
            if let data, Self.overlap(folder, data) {
                throw FileError(
                    path: folder,
                    description: "the demo would replace \(folder), where the images of --data \(data) are: choose another --out")
            }
        }
    }

    /// Removes what an earlier demo made, and begins the folders anew.
    func clear() throws {
        for folder in folders {
            if FileManager.default.fileExists(atPath: folder) {
                do { try FileManager.default.removeItem(atPath: folder) } catch {
                    throw FileError(path: folder, description: "cannot replace \(folder): choose another --out")
                }
            }
            if folder.hasSuffix("/images"), data != nil { continue }
            try AtomicFile.write("`fovea demo` made this folder and replaces it when it runs again.\n", to: "\(folder)/\(Self.marker)")
        }
    }

    /// Whether one path is the other's, or lies below it, links followed.
    private static func overlap(_ a: String, _ b: String) -> Bool {
        let (a, b) = (parts(a), parts(b))
        return a.starts(with: b) || b.starts(with: a)
    }

    private static func parts(_ path: String) -> [String] {
        URL(fileURLWithPath: path).resolvingSymlinksInPath().standardizedFileURL.pathComponents
    }
}
