import CPixels

/// The operations that RandAugment and AutoAugment choose from, with torchvision's meaning of their magnitudes
/// (torchvision/transforms/autoaugment.py, `_apply_op` and `_augmentation_space`, uint8 tensors, nearest neighbours).
public enum PolicyOperation: String, CaseIterable, Sendable {
    case identity, shearX, shearY, translateX, translateY, rotate, brightness, color, contrast, sharpness, posterize, solarize
    case autoContrast, equalize, invert

    /// Whether magnitudes have two directions.
    public var isSigned: Bool {
        switch self {
        case .shearX, .shearY, .translateX, .translateY, .rotate, .brightness, .color, .contrast, .sharpness: true
        default: false
        }
    }

    /// The magnitude at place `bin` of `bins` on its scale: shear as a tangent, translation in pixels, rotation in degrees,
    /// factors less one, bits, grey level.
    public func magnitude(bin: Int, of bins: Int, size: ImageSize) -> Double {
        let share = Double(bin) / Double(bins - 1)
        switch self {
        case .shearX, .shearY: return 0.3 * share
        case .translateX: return 150.0 / 331 * Double(size.width) * share
        case .translateY: return 150.0 / 331 * Double(size.height) * share
        case .rotate: return 30 * share
        case .brightness, .color, .contrast, .sharpness: return 0.9 * share
        case .posterize: return 8 - (4 * share).rounded(.toNearestOrEven)
        case .solarize: return 255 * (1 - share)
        case .identity, .autoContrast, .equalize, .invert: return 0
        }
    }

    /// - Parameter fill: Grey level of what comes in from outside.
    public func apply(to canvas: Canvas, magnitude: Double, fill: UInt8) {
        switch self {
        case .identity: break
        // Shears keep the top left corner where it is, as the original AutoAugment's.
        case .shearX: canvas.affine((1, magnitude, 0, 1), about: (0, 0), shift: (0, 0), fill: fill)
        case .shearY: canvas.affine((1, 0, magnitude, 1), about: (0, 0), shift: (0, 0), fill: fill)
        case .translateX: canvas.affine((1, 0, 0, 1), about: (0, 0), shift: (magnitude.rounded(.towardZero), 0), fill: fill)
        case .translateY: canvas.affine((1, 0, 0, 1), about: (0, 0), shift: (0, magnitude.rounded(.towardZero)), fill: fill)
        case .rotate:
            let (sine, cosine) = PortableMath.sineAndCosine(magnitude * .pi / 180)
            let centre = (Double(canvas.size.width) / 2, Double(canvas.size.height) / 2)
            canvas.affine((cosine, -sine, sine, cosine), about: centre, shift: (0, 0), fill: fill)
        case .brightness: canvas.brightness(1 + magnitude)
        case .color: canvas.saturation(1 + magnitude)
        case .contrast: canvas.contrast(1 + magnitude)
        case .sharpness: canvas.sharpness(1 + magnitude)
        case .posterize: canvas.posterize(Int(magnitude))
        case .solarize: canvas.solarize(Int(magnitude.rounded(.up)))
        case .autoContrast: canvas.autoContrast()
        case .equalize: canvas.equalize()
        case .invert: canvas.solarize(0)
        }
    }
}

extension Canvas {
    /// Result (x, y) comes from source (m.0 x + m.1 y, m.2 x + m.3 y), in coordinates of pixel centres (½, 1½, …)
    /// relative to `about`, moved by `shift` first; nearest neighbour.
    func affine(
        _ m: (Double, Double, Double, Double), about: (x: Double, y: Double), shift: (x: Double, y: Double), fill: UInt8
    ) {
        let x = 0.5 - about.x - shift.x
        let y = 0.5 - about.y - shift.y
        let matrix = [
            Float(m.0), Float(m.1), Float(m.0 * x + m.1 * y + about.x - 0.5),
            Float(m.2), Float(m.3), Float(m.2 * x + m.3 * y + about.y - 0.5),
        ]
        redraw(to: size) { from, to in
            pixels_affine_nearest(from.red, from.stride, from.plane, from.width, from.height, matrix, fill, to.red)
        }
    }
}
