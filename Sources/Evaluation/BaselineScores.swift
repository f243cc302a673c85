internal import Backbones
internal import Files
internal import Foundation
internal import Training
internal import Views

/// Scores of random encoders and of raw pixels on disk, beside the features: on the same images they are the same for every encoder
/// of an architecture, and take most of an evaluation's time.
///
/// An entry is one protocol's scores under one seed. It is found by what they follow from: the images with their labels, what becomes
/// of an image, the baseline, the protocol's settings, the device, and the program that measured, so that none outlives a change of it.
struct BaselineScores {
    private let folder: String
    private let common: Checksum

    private static let suffix = ".json"
    private static let prefix = "baseline"
    /// Bytes; an entry of 10,000 test images has some 100 KB.
    private static let limit = 1 << 30

    /// nil when the images have no fingerprints.
    init?(_ cache: FeatureCache, _ data: EvaluationData) throws {
        folder = cache.folder
        var checksum = Checksum()
        for text in try FeatureCache.surroundings(data.extraction) + [Self.program] { checksum.add(text) }
        checksum.add(data.extraction.batchSize)
        checksum.add("\(data.seed)")
        for images in [data.train, data.test] {
            guard let images else {
                checksum.add("none")
                continue
            }
            guard let list = FeatureCache.key(of: images) else { return nil }
            checksum.add(list)
            images.classNames.forEach { checksum.add($0) }
            for index in 0..<images.count { checksum.add(images.label(at: index) ?? -1) }
        }
        common = checksum
    }

    /// A library's user has a program of their own, and one that was built anew may measure otherwise.
    private static let program: String = {
        guard let path = Bundle.main.executablePath, let found = try? FileManager.default.attributesOfItem(atPath: path) else { return "" }
        let changed = (found[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
        return "\(found[.size] ?? 0) \(changed)"
    }()

    /// Where the scores of a baseline are.
    /// - Parameter baseline: everything that it follows from beside the images.
    func path(of baseline: String, _ measured: any EvaluationProtocol, seed: UInt64) throws -> String {
        let coder = JSONEncoder()
        coder.outputFormatting = .sortedKeys
        var checksum = common
        for text in [baseline, type(of: measured).name, String(decoding: try coder.encode(measured), as: UTF8.self), "\(seed)"] {
            checksum.add(text)
        }
        return "\(folder)/\(Self.prefix)-\(checksum.text)\(Self.suffix)"
    }

    /// nil when there are none, or they are damaged.
    func read(_ path: String) -> [Score]? {
        guard let content = FileManager.default.contents(atPath: path),
            let scores = try? JSONDecoder().decode([Score].self, from: content)
        else { return nil }
        CacheFolder.use(path)
        return scores
    }

    /// What cannot be written is measured again another time.
    func write(_ scores: [Score], to path: String) {
        guard let content = try? JSONEncoder().encode(scores) else { return }
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        guard (try? content.write(to: URL(fileURLWithPath: path), options: .atomic)) != nil else { return }
        var entries = CacheFolder(folder, limit: Self.limit, suffix: Self.suffix) { name in
            let parts = name.split(separator: "-", omittingEmptySubsequences: false)
            return parts.count == 2 && parts[0] == Self.prefix && CacheFolder.isChecksum(parts[1])
        }
        entries.removeOldest(after: [], keeping: [path])
    }
}
