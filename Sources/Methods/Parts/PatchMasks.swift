internal import Backbones
internal import Foundation
internal import Torch

/// Which patches are hidden. All chance comes from the CPU's generator, whose state checkpoints keep.
enum PatchMasks {
    /// Every image's places in an order of its own: [n, patches] int64.
    static func orders(_ images: Int, _ patches: Int, on device: Device) -> Tensor {
        Tensor.rand([images, patches]).sorted().indices.to(device)
    }

    /// A share of squares of `unit` × `unit` patches (SimMIM, Xie et al. 2022, section 3.2): [n, patches] bool, true where hidden.
    static func squares(_ images: Int, _ grid: PatchGrid, unit: Int, ratio: Double, on device: Device) -> Tensor {
        let (rows, columns) = ((grid.rows + unit - 1) / unit, (grid.columns + unit - 1) / unit)
        let hidden = Int((ratio * Double(rows * columns)).rounded(.up))
        let ranks = Tensor.rand([images, rows * columns]).sorted().indices.sorted().indices
        let mask = ranks.less(Double(hidden)).reshaped(images, rows, 1, columns, 1).expanded([images, rows, unit, columns, unit])
            .reshaped(images, rows * unit, columns * unit)
        return mask.narrowed(1, from: 0, count: grid.rows).narrowed(2, from: 0, count: grid.columns).reshaped(images, grid.count)
            .to(device)
    }

    /// Rectangles until a share is hidden (BEiT, Bao et al. 2022, arXiv:2106.08254, algorithm 1): [n, patches] bool.
    /// Of clips each rectangle is hidden for some successive times (MaskFeat, Wei et al. 2022): [n, times · patches], times first.
    /// - Parameters:
    ///   - ratios: of each image; 0 hides nothing.
    ///   - least: patches of the smallest rectangle.
    static func blocks(_ ratios: [Double], _ grid: PatchGrid, times: Int = 1, least: Int, on device: Device) -> Tensor {
        let random = UniformNumbers()
        let count = times * grid.count
        var mask = [Float](repeating: 0, count: ratios.count * count)
        for (image, ratio) in ratios.enumerated() {
            let wanted = Int((ratio * Double(count)).rounded())
            var (hidden, failures) = (0, 0)
            while hidden < wanted, failures < 10 {
                // Images draw no times.
                let duration = times > 1 ? 1 + random.next(below: times) : 1
                let missing = min(Double(wanted - hidden) / Double(duration), Double(grid.count))
                let area = random.next(in: min(Double(least), missing)...missing)
                let aspect = exp(random.next(in: log(0.3)...log(1 / 0.3)))
                let height = Int((area * aspect).squareRoot().rounded())
                let width = Int((area / aspect).squareRoot().rounded())
                guard (1...grid.rows).contains(height), (1...grid.columns).contains(width) else {
                    failures += 1
                    continue
                }
                let (top, left) = (random.next(below: grid.rows - height + 1), random.next(below: grid.columns - width + 1))
                let first = times > 1 ? random.next(below: times - duration + 1) : 0
                var places: [Int] = []
                for time in first..<first + duration {
                    for row in top..<top + height {
                        let start = image * count + time * grid.count + row * grid.columns + left
                        places += (start..<start + width).filter { mask[$0] == 0 }
                    }
                }
                guard !places.isEmpty, hidden + places.count <= wanted else {
                    failures += 1
                    continue
                }
                for place in places { mask[place] = 1 }
                hidden += places.count
                failures = 0
            }
        }
        return Tensor(mask, [ratios.count, count]).greater(0.5).to(device)
    }

    /// I-JEPA's places (Assran et al. 2023, section 3 and appendix A.1): rectangles to predict, and what of a large one they leave.
    /// Sizes are the same for a batch, and of the context as many places as the least image has.
    struct Blocks {
        /// [n, c] int64
        var context: Tensor
        /// For each rectangle [n, t] int64.
        var targets: [Tensor]
    }

    static func contextAndTargets(
        _ images: Int, _ grid: PatchGrid, targets: Int, targetScale: ClosedRange<Double>, targetAspect: ClosedRange<Double>,
        contextScale: ClosedRange<Double>, on device: Device
    ) -> Blocks {
        let random = UniformNumbers()
        func size(_ scale: ClosedRange<Double>, _ aspect: ClosedRange<Double>) -> (height: Int, width: Int) {
            let area = random.next(in: scale) * Double(grid.count)
            let ratio = random.next(in: aspect)
            return (
                min(grid.rows, max(1, Int((area * ratio).squareRoot().rounded()))),
                min(grid.columns, max(1, Int((area / ratio).squareRoot().rounded())))
            )
        }
        func places(_ size: (height: Int, width: Int)) -> [Int] {
            let (top, left) = (random.next(below: grid.rows - size.height + 1), random.next(below: grid.columns - size.width + 1))
            return (top..<top + size.height).flatMap { row in (left..<left + size.width).map { row * grid.columns + $0 } }
        }
        let (small, large) = (size(targetScale, targetAspect), size(contextScale, 1...1))
        var (contexts, found): ([[Int]], [[[Int]]]) = ([], [])
        for _ in 0..<images {
            var (own, context): ([[Int]], [Int]) = ([], [])
            // Rectangles that leave nothing are drawn again; a grid that is too small for any keeps one place.
            for _ in 0..<20 where context.isEmpty {
                own = (0..<targets).map { _ in places(small) }
                let taken = Set(own.joined())
                context = places(large).filter { !taken.contains($0) }
            }
            if context.isEmpty { context = [(0..<grid.count).first { !Set(own.joined()).contains($0) } ?? 0] }
            contexts.append(context)
            found.append(own)
        }
        let least = contexts.map(\.count).min() ?? 0
        return Blocks(
            context: Tensor(contexts.flatMap { $0.prefix(least) }, [images, least]).to(device),
            targets: (0..<targets).map { target in
                Tensor(found.flatMap { $0[target] }, [images, small.height * small.width]).to(device)
            })
    }
}

/// Numbers from the CPU's generator, some at a time.
final class UniformNumbers {
    private var numbers: [Double] = []

    /// 0 ..< 1
    func next() -> Double {
        if numbers.isEmpty { numbers = Tensor.rand([256], .float64).doubles }
        return numbers.removeLast()
    }

    func next(in range: ClosedRange<Double>) -> Double { range.lowerBound + next() * (range.upperBound - range.lowerBound) }
    func next(below count: Int) -> Int { min(count - 1, Int(next() * Double(count))) }
}
