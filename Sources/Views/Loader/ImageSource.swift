import Foundation

/// Decoded images of a dataset: keeps those that fit into memory, and remembers those that cannot be read.
final class ImageSource: @unchecked Sendable {
    let dataset: any ImageDataset
    let unreadable = UnreadableLog()
    private let target: Int?
    private let cacheBytes: Int
    private let lock = NSLock()
    private var cache: [Int: PixelImage] = [:]
    private var cached = 0
    private var decoded = 0

    init(_ dataset: any ImageDataset, target: Int?, cacheBytes: Int) {
        self.dataset = dataset
        self.target = target
        self.cacheBytes = cacheBytes
    }

    /// nil if it cannot be read; then it stands in `unreadable`.
    func image(_ index: Int) -> PixelImage? {
        if cacheBytes > 0, let image = lock.withLock({ cache[index] }) { return image }
        if unreadable.contains(index) { return nil }
        do {
            let image = try dataset.image(at: index, coveringAtLeast: target)
            lock.withLock {
                decoded += 1
                if cacheBytes > 0, cache[index] == nil, cached + image.pixels.count <= cacheBytes {
                    cache[index] = image
                    cached += image.pixels.count
                }
            }
            return image
        } catch {
            unreadable.record(.init(index: index, name: dataset.name(at: index), reason: "\(error)"))
            return nil
        }
    }

    /// For tests: how often the dataset was asked with success.
    var decodings: Int { lock.withLock { decoded } }
}
