/// Height and width in pixels. In recipes a number (`224`) for a square, or `[height, width]`.
public struct ImageSize: Sendable, Hashable, Codable, ExpressibleByIntegerLiteral, CustomStringConvertible {
    public var height: Int
    public var width: Int

    public init(height: Int, width: Int) {
        self.height = height
        self.width = width
    }

    public init(_ side: Int) { self.init(height: side, width: side) }
    public init(integerLiteral side: Int) { self.init(side) }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let side = try? container.decode(Int.self) {
            self.init(side)
            return
        }
        let sides = try? container.decode([Int].self)
        guard let sides, sides.count == 2 else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "a size is a number (224) or [height, width]")
        }
        self.init(height: sides[0], width: sides[1])
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if height == width { try container.encode(height) } else { try container.encode([height, width]) }
    }

    public var description: String { "\(height)×\(width)" }
    var shorter: Int { min(height, width) }
    var isPositive: Bool { height > 0 && width > 0 }
}

/// A rectangle of whole pixels; `x`, `y` is its top left corner.
public struct PixelBox: Sendable, Hashable {
    public var x, y, width, height: Int

    public init(x: Int, y: Int, width: Int, height: Int) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }

    public init(_ size: ImageSize) { self.init(x: 0, y: 0, width: size.width, height: size.height) }
    public var size: ImageSize { ImageSize(height: height, width: width) }
}
