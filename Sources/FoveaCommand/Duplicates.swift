import ArgumentParser
import Fovea
import Foundation

struct Duplicates: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Find images that are almost the same.",
        discussion: """
            Pairs that the encoder finds close and whose pixels correlate: images saved twice, bursts, and with --in test images that are
            in the training split too. Labels are not needed; pairs with different ones are worth a look.
            """)

    @OptionGroup var source: EncoderOptions

    @Argument(help: "Images: a folder, a CSV list, or a packed set.", completion: .file())
    var images: String

    @Option(name: .customLong("in"), help: "Look for the images among these instead of among each other.", completion: .file())
    var others: String?

    @Option(help: "The normalised correlation of pixels from which images are near-duplicates.")
    var correlation = 0.95

    @Option(help: "The cosine of features that pairs must have.")
    var similarity = 0.9

    @Option(help: "A CSV file for the pairs; images that cannot be read are listed beside it.", completion: .file())
    var out: String?

    @OptionGroup var features: CacheOptions
    @OptionGroup var machine: MachineOptions

    func validate() throws {
        for (name, value) in [("--correlation", correlation), ("--similarity", similarity)] where !(-1...1).contains(value) {
            throw ValidationError("\(name) \(value): give a number between -1 and 1, such as 0.95")
        }
        func place(_ path: String) -> String { URL(fileURLWithPath: path).resolvingSymlinksInPath().path }
        if let others, place(others) == place(images) {
            throw ValidationError("--in \(others) is the folder itself, in which each image is its own duplicate: leave --in out")
        }
        var isFolder: ObjCBool = false
        if let out, FileManager.default.fileExists(atPath: out, isDirectory: &isFolder), isFolder.boolValue {
            throw ValidationError("--out \(out) is a folder: name a CSV file, such as \(out)/pairs.csv")
        }
    }

    func run() throws {
        machine.apply()
        var search = DuplicateSearch()
        search.correlation = correlation
        search.similarity = similarity
        search.cache = features.chosen
        let unreadable = UnreadableImages()
        search.unreadable = unreadable.add
        let (encoder, _) = try source.load(on: machine.chosenDevice())
        let extraction = FeatureExtraction(
            imageSize: encoder.imageSize, threads: machine.loaders, device: try machine.chosenDevice())
        let found = try search(
            encoder, WholeDataset.open(images, options: .telling), in: others.map { try WholeDataset.open($0, options: .telling) },
            extraction)
        var table = TextTable(["image", "near-duplicate", "correlation", "cosine"])
        func titled(_ name: String, _ label: String?, _ differs: Bool) -> String { differs ? "\(name) (\(label ?? "no label"))" : name }
        for match in found.matches.prefix(50) {
            let differs = match.labels[0] != match.labels[1]
            table.append([
                titled(match.first, match.labels[0], differs), titled(match.second, match.labels[1], differs),
                String(format: "%.3f", match.correlation), String(format: "%.3f", match.similarity),
            ])
        }
        if !found.matches.isEmpty { print(table.forOutput()) }
        let hidden = found.matches.count - 50
        if hidden > 0 { print("… and \(Format.count(hidden)) more pairs\(out == nil ? "; --out has all" : "")") }
        let disagreeing = found.matches.count { $0.labels[0] != $0.labels[1] }
        func counted(_ count: Int, _ what: String) -> String { "\(Format.count(count)) \(what)\(count == 1 ? "" : "s")" }
        var line = "\(counted(found.matches.count, "pair")) in \(counted(found.groups.count, "group")) among "
        line += "\(Format.count(found.images)) images"
        if disagreeing > 0 { line += "; \(Format.count(disagreeing)) pairs have different labels" }
        print(line)
        // Beside the pairs, by their name: there may be another list of that folder.
        try unreadable.tell(listing: out.map { "\(($0 as NSString).deletingPathExtension).unreadable.csv" })
        guard let out else { return }
        let rows = found.matches.map {
            [$0.first, $0.second, $0.labels[0] ?? "", $0.labels[1] ?? "", "\($0.correlation)", "\($0.similarity)"]
        }
        try AtomicFile.write(
            CSV.write([["image", "near_duplicate", "label", "other_label", "correlation", "cosine"]] + rows, lineEnding: "\n"), to: out)
    }
}
