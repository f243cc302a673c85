internal import Files
internal import Foundation
internal import Torch

/// Everything that the rest of a run depends on, in one file that is replaced as a whole.
struct Checkpoint {
    /// Where the run stands.
    struct Position: Codable, Equatable {
        /// The epoch under way, from 0; `epochs` when all are done.
        var epoch = 0
        /// Batches of it that are done.
        var batch = 0
        /// Steps done in the whole run.
        var step = 0
        /// Bytes of the event file that belong to these steps.
        var tensorBoardBytes = 0
        /// The best value so far of what `best` is chosen by.
        var best: Double?
        /// Unreadable images so far: index in the data set, and why.
        var unreadable: [UnreadableImage] = []
        /// Of the data set: what methods with memory banks and classifiers are built for.
        var sampleCount = 0
        var classCount = 0
        /// Of the data set's names and labels.
        var dataChecksum = ""
        /// Images seen so far, readable or not.
        var imagesSeen = 0
        /// The order of the epoch under way where the method set one.
        var order: [Int]?
    }

    struct UnreadableImage: Codable, Equatable {
        var index: Int
        var reason: String
    }

    /// A checkpoint that cannot be gone on from.
    struct Unusable: Error, CustomStringConvertible {
        let description: String
    }

    var position: Position
    /// The recipe of the run that it belongs to, as YAML.
    var recipe: String
    /// `method.…`, `optimizer.<phase>.…`, `generator.<device>`, `sum.…`
    var tensors: StateDict

    private static let key = "fovea.checkpoint"
    private static let recipeKey = "fovea.recipe"
    private static let checksumKey = "fovea.checksum"

    func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let text = String(decoding: try encoder.encode(position), as: UTF8.self)
        let metadata = [Self.key: text, Self.recipeKey: recipe]
        try Safetensors.write(
            tensors, metadata: metadata.merging([Self.checksumKey: Self.checksum(metadata, tensors)]) { $1 }, to: path)
    }

    /// The format has none of its own: a flipped bit in the weights would go unseen.
    private static func checksum(_ metadata: [String: String], _ tensors: StateDict) -> String {
        var checksum = Checksum()
        for (key, text) in metadata.sorted(by: { $0.key < $1.key }) where key != checksumKey {
            checksum.add(key)
            checksum.add(text)
        }
        for (key, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
            checksum.add(key)
            checksum.add("\(tensor.dataType)")
            tensor.shape.forEach { checksum.add($0) }
            checksum.add(tensor.bytes)
        }
        return checksum.text
    }

    static func read(_ path: String) throws -> Checkpoint {
        let content: Safetensors.Content
        do {
            content = try Safetensors.read(path)
        } catch let damage as Safetensors.Malformed {
            throw Unusable(description: "the checkpoint is damaged: \(damage)")
        }
        guard let text = content.metadata[key], let recipe = content.metadata[recipeKey] else {
            throw Unusable(description: "\(path) is not a checkpoint of Fovea's")
        }
        guard content.metadata[checksumKey] == checksum(content.metadata, content.tensors) else {
            throw Unusable(description: "the checkpoint is damaged: \(path) has not the content that was written (its checksum differs)")
        }
        guard let position = try? JSONDecoder().decode(Position.self, from: Data(text.utf8)) else {
            throw Unusable(description: "\(path) was written by another version of Fovea")
        }
        return Checkpoint(position: position, recipe: recipe, tensors: content.tensors)
    }

    /// The tensors below a prefix, without it.
    func state(_ prefix: String) -> StateDict {
        var state: StateDict = [:]
        for (key, tensor) in tensors where key.hasPrefix(prefix) { state[String(key.dropFirst(prefix.count))] = tensor }
        return state
    }
}
