/// Frames in the order in which they were taken.
public struct Clip: Sendable {
    /// Frames.
    public let count: Int
    private let title: @Sendable (_ frame: Int) -> String
    private let read: @Sendable (_ frame: Int, _ target: Int?) throws(ImageError) -> PixelImage

    /// - Parameters:
    ///   - name: what to call a frame.
    ///   - frame: reads and decodes one; `target` as in ``ImageDataset/image(at:coveringAtLeast:)``.
    public init(
        count: Int, name: @escaping @Sendable (_ frame: Int) -> String,
        frame: @escaping @Sendable (_ frame: Int, _ target: Int?) throws(ImageError) -> PixelImage
    ) {
        self.count = count
        title = name
        read = frame
    }

    /// - Precondition: `frame` is below `count`, here and below.
    public func name(of frame: Int) -> String { title(frame) }

    public func frame(_ frame: Int, coveringAtLeast target: Int? = nil) throws(ImageError) -> PixelImage { try read(frame, target) }
}
