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
    /// `method.…`, `optimizer.<phase>.…`, `generator.<device>`, `sum.…`
    var tensors: StateDict

    private static let key = "fovea.checkpoint"

    func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let text = String(decoding: try encoder.encode(position), as: UTF8.self)
        try Safetensors.write(tensors, metadata: [Self.key: text], to: path)
    }

    static func read(_ path: String) throws -> Checkpoint {
        let content: Safetensors.Content
        do {
            content = try Safetensors.read(path)
        } catch let damage as Safetensors.Malformed {
            throw Unusable(description: "the checkpoint is damaged: \(damage)")
        }
        guard let text = content.metadata[key], let position = try? JSONDecoder().decode(Position.self, from: Data(text.utf8)) else {
            throw Unusable(description: "\(path) is not a checkpoint of Fovea's")
        }
        return Checkpoint(position: position, tensors: content.tensors)
    }

    /// The tensors below a prefix, without it.
    func state(_ prefix: String) -> StateDict {
        var state: StateDict = [:]
        for (key, tensor) in tensors where key.hasPrefix(prefix) { state[String(key.dropFirst(prefix.count))] = tensor }
        return state
    }
}
