import ArgumentParser
import Fovea
import Foundation

struct Embed: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a feature vector for every image.",
        discussion: "The file's ending chooses the form: .safetensors and .npy hold the matrix, .csv a row per image; all keep the names.")

    @Argument(help: "A run's folder, or a weights file (.safetensors).", completion: .file())
    var source: String

    @Argument(help: "Images: a folder, a CSV list, or a packed set.", completion: .file())
    var images: String

    @Option(help: "The file to write: .safetensors, .npy or .csv.", completion: .file())
    var out: String

    @Option(help: "The backbone of a weights file that does not say it.")
    var backbone: String?

    @Option(help: "Channels of that backbone's first stage; 64 by default.")
    var width: Int?

    @Option(help: "The side of the images that the weights file was trained on; 224 by default.")
    var imageSize: Int?

    @Option(help: "Images at a time.")
    var batchSize = 64

    @OptionGroup var machine: MachineOptions

    @Flag(help: "Print nothing but errors.")
    var quiet = false

    func validate() throws {
        let endings = ImageEmbeddings.Format.allCases.map(\.rawValue)
        guard endings.contains((out as NSString).pathExtension.lowercased()) else {
            throw ValidationError("--out \(out): end the name in \(endings.map { ".\($0)" }.joined(separator: ", "))")
        }
        if batchSize < 1 { throw ValidationError("--batch-size must be at least 1") }
        let given = [("--backbone", backbone != nil), ("--width", width != nil), ("--image-size", imageSize != nil)]
        let names = given.filter(\.1).map(\.0).joined(separator: ", ")
        if !names.isEmpty, RunFolder(source).holdsRun {
            throw ValidationError("\(source) is a run's folder, whose recipe says what its encoder is: leave out \(names)")
        }
        if !names.isEmpty, backbone == nil {
            throw ValidationError("\(names): only with --backbone, for a weights file that does not say its own; leave it out otherwise")
        }
    }

    func run() throws {
        machine.apply()
        let encoder = try Encoder.load(
            source, backbone: backbone.map { BackboneSettings($0, width: width ?? 64) }, imageSize: imageSize ?? 224,
            on: machine.chosenDevice())
        for (path, part) in try parts() { try write(part, encoder, to: path) }
    }

    /// All images of a folder go into one file; the parts of a packed set into one each.
    private func parts() throws -> [(path: String, images: any ImageDataset)] {
        let found = try WholeDataset.parts(images, options: .telling)
        return found.map { (found.count > 1 ? Self.numbered(out, $0.name) : out, $0.images) }
    }

    private func write(_ part: any ImageDataset, _ encoder: Encoder, to path: String) throws {
        let start = Date()
        let embeddings = try encoder.embed(part, batchSize: batchSize, loaderThreads: machine.loaders)
        try embeddings.write(to: path)
        try tell(embeddings.unreadable, of: path)
        // Written nevertheless: the other rows may be sound.
        try checkFeatures(embeddings.matrix, "\(path): the features")
        guard !quiet else { return }
        let seconds = Date().timeIntervalSince(start)
        var line = "\(path): \(Format.count(embeddings.names.count)) images, \(embeddings.matrix.size(1)) features each, "
        line += String(format: "%.0f images/s", Double(embeddings.names.count) / max(seconds, 1e-9))
        print(line)
    }

    /// Listed in `photos.unreadable.csv` beside `photos.npy`.
    private func tell(_ entries: [UnreadableLog.Entry], of path: String) throws {
        let list = (path as NSString).deletingPathExtension + ".unreadable.csv"
        let unreadable = UnreadableImages()
        unreadable.add(entries)
        try unreadable.tell(listing: !entries.isEmpty || FileManager.default.fileExists(atPath: list) ? list : nil)
    }

    /// `photos.npy` → `photos.test.npy`: a divided set gives a file for each part.
    private static func numbered(_ path: String, _ part: String) -> String {
        let name = path as NSString
        return name.deletingPathExtension + ".\(part)." + name.pathExtension
    }
}
