import CPixels

/// Which source samples make up each output sample along one axis, and with what weights. The memory is reused.
final class ResamplingTaps {
    private let firsts = AlignedBuffer()
    private let counts = AlignedBuffer()
    private let weights = AlignedBuffer()
    private let row = AlignedBuffer()
    private var outputs = 0
    private var capacity = 0
    private var shift = 14
    /// The source samples that are used at all; `first` counts from `used.lowerBound`.
    private(set) var used = 0..<0

    /// - Parameters:
    ///   - count: Source samples.
    ///   - scaled: Output samples that these would become.
    ///   - window: Those of them that are wanted.
    ///   - mirrored: Whether the window is turned round, which costs nothing here.
    func fill(count: Int, scaled: Int, window: Range<Int>, mirrored: Bool, interpolation: Interpolation, antialias: Bool) {
        let scale = Double(count) / Double(scaled)
        let stretch = antialias ? max(scale, 1) : 1
        let support = interpolation.support * stretch
        outputs = window.count
        capacity = 2 * Int(support.rounded(.up)) + 2
        let first = Self.integers(firsts, outputs)
        let number = Self.integers(counts, outputs)
        let values = Self.doubles(weights: row, outputs * capacity)
        var largest = 0.0
        var lowest = count
        var highest = 0
        for i in 0..<outputs {
            let output = mirrored ? window.upperBound - 1 - i : window.lowerBound + i
            let to = values + i * capacity
            let (start, taps, most) =
                antialias
                ? Self.antialiased(output, scale, stretch, support, count, interpolation, to)
                : Self.plain(output, scale, count, interpolation, to)
            largest = max(largest, most)
            first[i] = Int32(start)
            number[i] = Int32(taps)
            lowest = min(lowest, start)
            highest = max(highest, start + taps)
        }
        used = lowest..<highest

        // As many fraction bits as 16-bit weights and 32-bit sums of 8-bit samples have room for.
        shift = 14
        while shift < 20, largest * Double(1 << (shift + 1)) < 32767 { shift += 1 }
        let unit = Double(1 << shift)
        let fixed = UnsafeMutableRawPointer(weights.reserve(outputs * capacity * 2)).assumingMemoryBound(to: Int16.self)
        for i in 0..<outputs {
            first[i] -= Int32(lowest)
            pixels_fixed_weights(values + i * capacity, number[i], unit, fixed + i * capacity)
        }
    }

    func withTaps<Result>(_ body: (inout pixels_taps) -> Result) -> Result {
        var taps = pixels_taps(
            outputs: Int32(outputs), capacity: Int32(capacity), shift: Int32(shift),
            first: UnsafeRawPointer(firsts.base).assumingMemoryBound(to: Int32.self),
            count: UnsafeRawPointer(counts.base).assumingMemoryBound(to: Int32.self),
            weights: UnsafeRawPointer(weights.base).assumingMemoryBound(to: Int16.self))
        return body(&taps)
    }

    /// Pillow's precompute_coeffs: the kernel is widened by the scale, cut off at the edges and normalised.
    private static func antialiased(
        _ output: Int, _ scale: Double, _ stretch: Double, _ support: Double, _ count: Int,
        _ interpolation: Interpolation, _ to: UnsafeMutablePointer<Double>
    ) -> (start: Int, taps: Int, largest: Double) {
        let centre = (Double(output) + 0.5) * scale
        let start = max(0, Int(centre - support + 0.5))
        let taps = min(count, Int(centre + support + 0.5)) - start
        return (
            start, taps,
            pixels_antialiased_weights(interpolation == .bicubic ? 1 : 0, Double(start), centre, 1 / stretch, Int32(taps), to)
        )
    }

    /// torch's interpolate without antialiasing: two or four neighbours; those outside repeat the edge.
    private static func plain(
        _ output: Int, _ scale: Double, _ count: Int, _ interpolation: Interpolation, _ to: UnsafeMutablePointer<Double>
    ) -> (start: Int, taps: Int, largest: Double) {
        var place = (Double(output) + 0.5) * scale - 0.5
        if interpolation == .bilinear { place = max(0, place) }
        let reach = Int(interpolation.support)
        let left = Int(place.rounded(.down)) - reach + 1
        let start = min(max(left, 0), count - 1)
        let taps = min(max(left + 2 * reach - 1, 0), count - 1) - start + 1
        for k in 0..<taps { to[k] = 0 }
        for k in left..<left + 2 * reach {
            to[min(max(k, 0), count - 1) - start] += interpolation.weight(Double(k) - place, a: -0.75)
        }
        return (start, taps, (0..<taps).reduce(0) { max($0, abs(to[$1])) })
    }

    private static func integers(_ buffer: AlignedBuffer, _ count: Int) -> UnsafeMutablePointer<Int32> {
        UnsafeMutableRawPointer(buffer.reserve(count * 4)).assumingMemoryBound(to: Int32.self)
    }

    private static func doubles(weights buffer: AlignedBuffer, _ count: Int) -> UnsafeMutablePointer<Double> {
        UnsafeMutableRawPointer(buffer.reserve(count * 8)).assumingMemoryBound(to: Double.self)
    }
}
