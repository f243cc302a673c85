/// A part of an image, in shares of its height and width; mirrored where `left` is greater than `right`. It may reach over the edges.
public struct Region: Sendable, Equatable {
    public var top = 0.0
    public var left = 0.0
    public var bottom = 1.0
    public var right = 1.0

    public init() {}

    /// The part of this part that a box of an image of this size covers. Turns are not followed.
    mutating func crop(_ box: PixelBox, of size: ImageSize) {
        func cut(_ low: inout Double, _ high: inout Double, _ from: Int, _ count: Int, _ whole: Int) {
            let length = high - low
            high = low + length * Double(from + count) / Double(whole)
            low += length * Double(from) / Double(whole)
        }
        cut(&top, &bottom, box.y, box.height, size.height)
        cut(&left, &right, box.x, box.width, size.width)
    }
}
