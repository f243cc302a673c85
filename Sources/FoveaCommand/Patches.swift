import ArgumentParser
import Fovea
import Foundation

struct Patches: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Find the patches of other images that an encoder holds for most alike.",
        discussion: "One row for each patch: the patch itself, then the nearest of other images. Shows what an encoder knows of parts.")

    @OptionGroup var source: EncoderOptions

    @Argument(help: "Images: a folder, a CSV list, or a packed set.", completion: .file())
    var images: String

    @Option(help: "The picture, a .png file.", completion: .file())
    var out = "patches.png"

    @Option(help: "Patches to look for.")
    var queries = 10

    @Option(help: "Patches to find for each.")
    var count = 8

    @Option(help: "Patches that are cut from each image.")
    var perImage = 4

    @Option(help: "The side at which the encoder sees patches; its images' by default.")
    var side: Int?

    @Option(help: "What chance draws from.")
    var seed: UInt64 = 0

    @OptionGroup var machine: MachineOptions

    func validate() throws {
        for (name, value) in [("--queries", queries), ("--count", count), ("--per-image", perImage)] where !(1...1000).contains(value) {
            throw ValidationError("\(name) \(value): give a number between 1 and 1000")
        }
        if let side, !(8...4096).contains(side) { throw ValidationError("--side \(side): give 8 to 4096 pixels") }
    }

    func run() throws {
        machine.apply()
        let (encoder, _) = try source.load(on: machine.chosenDevice())
        var search = PatchSearch()
        (search.perImage, search.side, search.seed) = (perImage, side, seed)
        let images = try WholeDataset.open(images, options: .telling)
        let extraction = FeatureExtraction(
            imageSize: encoder.imageSize, threads: machine.loaders, device: try machine.chosenDevice())
        let found = try search(encoder, images, queries: queries, count: count, extraction)
        try AtomicFile.write(ImageEncoder.png(search.sheet(found, encoder, images)), to: out)
        print("the nearest patches of \(found.count) are drawn in \(out)")
    }
}
