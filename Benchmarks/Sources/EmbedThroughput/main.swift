// Image files to embeddings of torchvision's ResNet (its stem at every size, as the peer has it, or `--stem small`), with the arguments of the
// peer's script: images per second, end to end and of the network alone (on one batch in memory), as JSON.
import Foundation
import Fovea

func option(_ name: String) -> String? {
    guard let place = CommandLine.arguments.firstIndex(of: "--\(name)"), place + 1 < CommandLine.arguments.count else { return nil }
    return CommandLine.arguments[place + 1]
}

func run() throws {
    guard let data = option("data") else { fatalError("--data DIR: a folder of images") }
    let size = option("size").flatMap { Int($0) } ?? 224
    let batch = option("batch").flatMap { Int($0) } ?? 32
    let count = option("images").flatMap { Int($0) } ?? 256
    let backbone = option("backbone") ?? "resnet50"
    let encoder = try Encoder(BackboneSettings(backbone, stem: option("stem") == "small" ? .small : .imagenet), imageSize: size)
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

try run()
