// Image files to embeddings of torchvision's ResNet (its stem at every size, as the peer has it, or `--stem small`), with the arguments of the
// peer's script: images per second, end to end and of the network alone (on one batch in memory), as JSON.
import Arguments
import Foundation
import Fovea

let arguments = Arguments(
    usage: "embed-throughput --data DIR [--backbone resnet50] [--stem imagenet|small] [--size 224] [--batch 32] [--images 256]",
    names: ["data", "backbone", "stem", "size", "batch", "images"])

func run() throws {
    guard let data = arguments.text("data") else { arguments.stop("--data is missing") }
    let size = arguments.number("size", default: 224, atLeast: 8)
    let batch = arguments.number("batch", default: 32)
    let count = arguments.number("images", default: 256)
    let backbone = arguments.text("backbone") ?? "resnet50"
    let encoder = try Encoder(BackboneSettings(backbone, stem: arguments.choice("stem", of: ["imagenet", "small"]) == "small" ? .small : .imagenet), imageSize: size)
    encoder.eval()
    let images = try DatasetSplits.open(data, options: DatasetOptions(limit: count)).train

    let pixels = Tensor.zeros([batch, 3, size, size], .uint8)
    func forward() { _ = inference { encoder(pixels) } }
    forward()
    let clock = ContinuousClock()
    var rounds = 0
    let started = clock.now
    while clock.now - started < .seconds(5) {
        forward()
        rounds += 1
    }
    let alone = (clock.now - started) / .seconds(1)
    var rows = 0
    let whole = try clock.measure { rows = try encoder.embed(images, batchSize: batch, loaderThreads: 2).names.count } / .seconds(1)
    print(
        String(
            format: "{\"fovea\": \"embed\", \"backbone\": \"%@\", \"size\": %d, \"batch\": %d, \"images\": %d, \"end_to_end\": %.2f, \"engine\": %.2f, \"threads\": %d}",
            backbone, size, batch, rows, Double(rows) / whole, Double(rounds * batch) / alone, Runtime.threads))
}

arguments.orStop(run)
