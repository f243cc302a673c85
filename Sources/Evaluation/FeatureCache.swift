internal import Backbones
internal import Files
internal import Foundation
internal import Torch
internal import Training
internal import Views

/// Features on disk, so that every protocol and every later call reuses one pass of an encoder over a split.
///
/// An entry is found by content: the encoder's weights and settings, what becomes of an image before and after it, the device, the
/// version, and the list of images with a fingerprint of each. Nothing is ever updated: other content is another entry. Entries
/// are mapped, not read, so that features of a million images need no memory of their own.
public struct FeatureCache: Sendable {
    public let folder: String
    /// The least recently used entries beyond so many bytes are removed.
    public var limit = CacheFolder.standardLimit

    public init(_ folder: String) { self.folder = folder }

    /// `$FOVEA_CACHE`, or `fovea/features` in the user's folder for such things.
    public static var standard: FeatureCache {
        let environment = ProcessInfo.processInfo.environment
        func named(_ key: String) -> String? { environment[key].flatMap { $0.isEmpty ? nil : $0 } }
        let caches = named("XDG_CACHE_HOME") ?? "\(NSHomeDirectory())/.cache"
        return FeatureCache(named("FOVEA_CACHE") ?? "\(caches)/fovea/features")
    }

    private static let format = "1"
    private static let rows = "rows"
    private static let suffix = ".safetensors"

    /// Features of several representations by one pass, or by none when all are here; nil when the images have no fingerprints.
    /// - Parameter body: pixels to the features of each representation, in order.
    func features(
        of images: any ImageDataset, _ representations: [Representation], _ extraction: FeatureExtraction,
        _ body: (_ pixels: Tensor) -> [Tensor]
    ) throws -> [FeatureExtraction.Result]? {
        guard let list = Self.key(of: images) else { return nil }
        let paths = try representations.map { "\(folder)/\(try Self.key($0, list, extraction))\(Self.suffix)" }
        let known = paths.compactMap { read($0, images) }
        if known.count == paths.count { return known }

        // Another process may be making the same.
        let own = paths.map { "\($0).\(ProcessInfo.processInfo.processIdentifier)" }
        defer { for path in own { try? FileManager.default.removeItem(atPath: path) } }
        var matrices: [GrowingMatrix] = []
        let found = try extraction.stream(images, body) { outputs in
            if matrices.isEmpty { matrices = try zip(own, outputs).map { try GrowingMatrix($0, name: Self.rows, width: $1.size(1)) } }
            for (matrix, output) in zip(matrices, outputs) { try matrix.add(output) }
        }
        let unreadable = try JSONEncoder().encode(found.unreadable.map { Entry(index: $0.index, reason: $0.reason) })
        for (matrix, (own, path)) in zip(matrices, zip(own, paths)) {
            try matrix.finish(["indices": Tensor(found.indices), "unreadable": Tensor([UInt8](unreadable))], synced: false)
            // `rename` replaces what another process made meanwhile, which is the same.
            guard rename(own, path) == 0 else { throw FileError("write", path: path) }
        }
        var entries = CacheFolder(folder, limit: limit, suffix: Self.suffix) { Self.isKey($0) }
        entries.removeOldest(after: [], keeping: Set(paths))
        return try paths.map { path in
            guard let result = read(path, images) else { throw EvaluationError("features written to \(path) cannot be read again") }
            return result
        }
    }

    private struct Entry: Codable {
        var index: Int
        var reason: String
    }

    /// nil when there is none, or it is damaged, which is made anew.
    private func read(_ path: String, _ images: any ImageDataset) -> FeatureExtraction.Result? {
        guard FileManager.default.fileExists(atPath: path), let content = try? Safetensors.map(path),
            let rows = content.tensors[Self.rows], let indices = content.tensors["indices"]?.ints,
            let text = content.tensors["unreadable"]?.bytes,
            let unreadable = try? JSONDecoder().decode([Entry].self, from: Data(text)),
            rows.rank == 2, rows.size(0) == indices.count, indices.allSatisfy({ $0 >= 0 && $0 < images.count })
        else { return nil }
        CacheFolder.use(path)
        return FeatureExtraction.Result(
            rows: rows, indices: indices, labels: indices.map { images.label(at: $0) ?? -1 },
            unreadable: unreadable.map { .init(index: $0.index, name: images.name(at: $0.index), reason: $0.reason) })
    }

    /// nil when one of the images has no fingerprint.
    static func key(of images: any ImageDataset) -> String? {
        var checksum = Checksum()
        for index in 0..<images.count {
            guard let fingerprint = images.fingerprint(at: index) else { return nil }
            checksum.add(images.name(at: index))
            checksum.add(Int(bitPattern: UInt(fingerprint)))
        }
        return "\(images.count)-\(checksum.text)"
    }

    /// What becomes of an image, and who computes it.
    static func surroundings(_ extraction: FeatureExtraction) throws -> [String] {
        let coder = JSONEncoder()
        coder.outputFormatting = .sortedKeys
        let view = try coder.encode(ViewRecipe.evaluation(size: ImageSize(extraction.imageSize)))
        return [format, FoveaVersion.current, "\(extraction.device)", String(decoding: view, as: UTF8.self)]
    }

    private static func key(_ representation: Representation, _ list: String, _ extraction: FeatureExtraction) throws -> String {
        var checksum = Checksum()
        for text in try surroundings(extraction) + [representation.part] { checksum.add(text) }
        if let encoder = representation.encoder {
            checksum.add("\(encoder.settings) \(encoder.input) \(encoder.imageSize)")
            for (key, tensor) in encoder.stateDict.sorted(by: { $0.key < $1.key }) {
                checksum.add(key)
                tensor.shape.forEach { checksum.add($0) }
                checksum.add("\(tensor.dataType)")
                checksum.add(tensor.bytes)
            }
        }
        return "\(list)-\(checksum.text)"
    }

    /// Whether a name is what the two functions above make: a count and two checksums.
    private static func isKey(_ name: String) -> Bool {
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        return parts.count == 3 && Int(parts[0]) != nil && parts.dropFirst().allSatisfy { CacheFolder.isChecksum($0) }
    }
}
