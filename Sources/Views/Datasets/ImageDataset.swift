internal import Files

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Pictures in a fixed order, with or without labels. The order is the same on every machine and in every run.
public protocol ImageDataset: Sendable {
    var count: Int { get }
    /// Indexed by label; empty when there are no labels.
    var classNames: [String] { get }
    /// An index into ``classNames``, or nil for a picture without a label.
    func label(at index: Int) -> Int?
    /// What to call the picture: its path relative to the root, or its place in a packed file, as `train/000123`.
    func name(at index: Int) -> String
    /// Reads and decodes a picture. `target` has the meaning it has in ``ImageDecoder/decode(_:coveringAtLeast:)``; packed
    /// pictures ignore it.
    func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage
    /// The frames of a clip; nil for what is a picture.
    func clip(at index: Int) throws(ImageError) -> Clip?
    /// A number that changes when the picture does, found without decoding a file: what is remembered of a picture is remembered
    /// by it. nil where nothing may be remembered.
    func fingerprint(at index: Int) -> UInt64?
}

extension ImageDataset {
    public func fingerprint(at index: Int) -> UInt64? { nil }
    public func clip(at index: Int) throws(ImageError) -> Clip? { nil }

    /// Of sets whose pictures lie there as pixels.
    func fingerprintOfPixels(at index: Int) -> UInt64? {
        guard let image = try? image(at: index, coveringAtLeast: nil) else { return nil }
        var checksum = Checksum()
        checksum.add(image.width)
        checksum.add(image.pixels)
        return checksum.number
    }

    /// Of pictures in files of their own: by length and time of change; a file that is missing has a number, too.
    static func fingerprint(ofFile path: String) -> UInt64? {
        var status = stat()
        var checksum = Checksum()
        guard stat(path, &status) == 0 else { return checksum.number }
        #if canImport(Darwin)
        let time = status.st_mtimespec
        #else
        let time = status.st_mtim
        #endif
        for number in [Int(status.st_size), Int(time.tv_sec), Int(time.tv_nsec)] { checksum.add(number) }
        return checksum.number
    }
}

/// The parts that a dataset may be divided into.
public enum DatasetPart: String, Sendable, CaseIterable {
    case train, test, unlabelled
}
