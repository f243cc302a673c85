public protocol ImageDataset: Sendable {
    var count: Int { get }
    var classNames: [String] { get }
    func label(at index: Int) -> Int?
    func name(at index: Int) -> String
    func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage
}
