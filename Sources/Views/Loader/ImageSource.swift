import Foundation

/// Decoded images of a dataset: keeps those that fit into memory, and remembers those that cannot be read.
final class ImageSource: @unchecked Sendable {
    let dataset: any ImageDataset
    let unreadable = UnreadableLog()
    private let target: Int?
    private let cacheBytes: Int
    private let lock = NSLock()
    private var cache: [Place: PixelImage] = [:]
    private var cached = 0
    private var decoded = 0

    /// A picture, or a frame of a clip.
    private struct Place: Hashable {
        let index: Int
        var frame: Int?
    }

    init(_ dataset: any ImageDataset, target: Int?, cacheBytes: Int) {
        self.dataset = dataset
        self.target = target
        self.cacheBytes = cacheBytes
    }

    /// nil if it cannot be read; then it stands in `unreadable`.
    func image(_ index: Int) -> PixelImage? {
        if let image = kept(Place(index: index)) { return image }
        if unreadable.contains(index) { return nil }
        do {
            return keep(try dataset.image(at: index, coveringAtLeast: target), Place(index: index))
        } catch {
            unreadable.record(.init(index: index, name: dataset.name(at: index), reason: "\(error)"))
            return nil
        }
    }

    /// What `maker` needs of a clip, and how many frames it has. nil if one of them cannot be read, or the clip is too short; then it
    /// stands in `unreadable`, but is tried again with other frames: whether a sample is left out depends on its own frames alone.
    func frames(_ index: Int, for maker: any ClipViewMaker, key: SampleKey) -> (frames: [PixelImage], count: Int)? {
        func leaveOut(_ reason: String) {
            unreadable.record(.init(index: index, name: dataset.name(at: index), reason: reason))
        }
        var place = ""
        do {
            guard let clip = try dataset.clip(at: index) else {
                let count = maker.leastFrames
                return image(index).map { ([PixelImage](repeating: $0, count: maker.frames(of: count, key: key).count), count) }
            }
            guard clip.count >= maker.leastFrames else {
                leaveOut("\(clip.count) frames, and the recipe needs \(maker.leastFrames)")
                return nil
            }
            var frames: [PixelImage] = []
            for frame in maker.frames(of: clip.count, key: key) {
                place = "\(clip.name(of: frame)): "
                let key = Place(index: index, frame: frame)
                frames.append(try kept(key) ?? keep(clip.frame(frame, coveringAtLeast: target), key))
            }
            return (frames, clip.count)
        } catch {
            leaveOut("\(place)\(error)")
            return nil
        }
    }

    private func kept(_ place: Place) -> PixelImage? { cacheBytes > 0 ? lock.withLock { cache[place] } : nil }

    private func keep(_ image: PixelImage, _ place: Place) -> PixelImage {
        lock.withLock {
            decoded += 1
            if cacheBytes > 0, cache[place] == nil, cached + image.pixels.count <= cacheBytes {
                cache[place] = image
                cached += image.pixels.count
            }
        }
        return image
    }

    /// For tests: how often the dataset was asked with success.
    var decodings: Int { lock.withLock { decoded } }
}
