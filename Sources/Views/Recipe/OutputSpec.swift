/// The type of an output's elements. Images are `uint8`, height × width × 3.
public enum ElementType: String, Sendable, Codable {
    case uint8, float32, int64

    public var bytes: Int {
        switch self {
        case .uint8: 1
        case .float32: 4
        case .int64: 8
        }
    }
}

/// One output of a sample: its name, its elements and its shape, which a batch's first dimension comes before.
public struct OutputSpec: Sendable, Hashable {
    public var name: String
    public var element: ElementType
    public var shape: [Int]

    public init(name: String, element: ElementType, shape: [Int]) {
        self.name = name
        self.element = element
        self.shape = shape
    }

    public static func image(_ name: String, _ size: ImageSize) -> OutputSpec {
        OutputSpec(name: name, element: .uint8, shape: [size.height, size.width, PixelImage.channels])
    }

    /// Elements of one sample.
    public var count: Int { shape.reduce(1, *) }
    /// Bytes of one sample.
    public var bytes: Int { count * element.bytes }
    /// The size, if this is an image.
    public var imageSize: ImageSize? {
        element == .uint8 && shape.count == 3 && shape[2] == PixelImage.channels ? ImageSize(height: shape[0], width: shape[1]) : nil
    }
}

/// Where one sample's outputs go: its part of the batch's memory. Every byte is to be written: what was there before is
/// another batch's.
public struct OutputBuffers {
    public let specs: [OutputSpec]
    private let bases: [UnsafeMutableRawPointer]
    private let position: Int

    /// - Parameters:
    ///   - bases: The memory of each output's whole batch.
    ///   - position: The sample's place in the batch.
    public init(_ specs: [OutputSpec], at bases: [UnsafeMutableRawPointer], position: Int) {
        self.specs = specs
        self.bases = bases
        self.position = position
    }

    public func bytes(_ output: Int) -> UnsafeMutableRawBufferPointer {
        let bytes = specs[output].bytes
        return UnsafeMutableRawBufferPointer(start: bases[output] + position * bytes, count: bytes)
    }

    /// The elements of a `uint8` output.
    public func pixels(_ output: Int) -> UnsafeMutablePointer<UInt8> {
        precondition(specs[output].element == .uint8, "output '\(specs[output].name)' does not hold uint8")
        return bytes(output).assumingMemoryBound(to: UInt8.self).baseAddress!
    }

    public func floats(_ output: Int) -> UnsafeMutableBufferPointer<Float> {
        precondition(specs[output].element == .float32, "output '\(specs[output].name)' does not hold float32")
        return bytes(output).assumingMemoryBound(to: Float.self)
    }

    public func integers(_ output: Int) -> UnsafeMutableBufferPointer<Int64> {
        precondition(specs[output].element == .int64, "output '\(specs[output].name)' does not hold int64")
        return bytes(output).assumingMemoryBound(to: Int64.self)
    }
}
