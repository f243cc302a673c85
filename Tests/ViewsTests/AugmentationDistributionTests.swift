import Testing
@testable import Views

@Suite struct AugmentationDistributionTests {
    @Test func jitterOrderIsUniform() throws {
        let jitter = ColorJitter(brightness: 0.4, contrast: 0.3, saturation: 1.5, hue: 0.1, p: 1)
        var orders: [[ColorJitter.Adjustment]: Int] = [:]
        var random = ViewRandom(seed: 8)
        var draws: [ColorJitter.Draw] = []
        for _ in 0..<24000 { draws.append(try #require(jitter.draw(random: &random))) }
        for draw in draws { orders[draw.order, default: 0] += 1 }
        #expect(orders.count == 24 && orders.values.allSatisfy { abs($0 - 1000) < 150 })
        func range(_ value: (ColorJitter.Draw) -> Double, _ expected: ClosedRange<Double>) {
            let values = draws.map(value)
            let mean = values.reduce(0, +) / Double(values.count)
            let width = expected.upperBound - expected.lowerBound
            #expect(values.allSatisfy(expected.contains))
            #expect(abs(mean - (expected.lowerBound + expected.upperBound) / 2) < 0.01 * width)
            #expect(values.min()! < expected.lowerBound + 0.01 * width && values.max()! > expected.upperBound - 0.01 * width)
        }
        range(\.brightness, 0.6...1.4)
        range(\.contrast, 0.7...1.3)
        range(\.saturation, 0...2.5)
        range(\.hue, -0.1...0.1)
    }

    @Test func probabilities() {
        let image = TestImage.make("smooth", 24, 20)
        let square = TestImage.make("smooth", 20, 20)
        let steps: [(any AugmentationStep, Double)] = [
            (HorizontalFlip(), 0.5), (Grayscale(), 0.2), (ColorJitter(), 0.8), (GaussianBlur(p: 0.1, sigma: 1...2), 0.1), (Solarize(), 0.2),
            (Posterize(bits: 2, p: 0.3), 0.3), (Sobel(p: 0.5), 0.5), (GaussianNoise(std: 0.2, p: 0.4), 0.4),
            (Cutout(fraction: 1, p: 0.6), 0.6),
            (Rotation(), 0.75),
        ]
        for (step, p) in steps {
            var changed = 0
            for index in 0..<2000 {
                let random = ViewKey(seed: 1, epoch: 0, index: index, stream: 0).random()
                let image = step is Rotation ? square : image
                if step.applied(to: image, random: random) != image { changed += 1 }
            }
            #expect(abs(Double(changed) / 2000 - p) < 0.04, "\(type(of: step)) acted \(changed) of 2000 times")
        }
    }

    @Test func cropsStayInside() {
        var random = ViewRandom(seed: 2)
        for (width, height) in [(500, 375), (1, 1), (1000, 3), (3, 1000), (32, 32)] {
            for _ in 0..<500 {
                let box = RandomResizedCrop().box(in: ImageSize(height: height, width: width), random: &random)
                #expect(box.x >= 0 && box.y >= 0 && box.width > 0 && box.height > 0)
                #expect(box.x + box.width <= width && box.y + box.height <= height)
            }
        }
        // No crop of a permitted shape and area fits: the largest central one.
        let box = RandomResizedCrop(scale: 0.9...1).box(in: ImageSize(height: 20, width: 300), random: &random)
        #expect(box == PixelBox(x: 136, y: 0, width: 27, height: 20))
    }

    @Test func paddedCropsReachEveryPlace() {
        let image = TestImage.make("noise", 16, 16)
        var places: Set<[UInt8]> = []
        for seed in 0..<4000 {
            places.insert(RandomCrop(padding: 2).applied(to: image, target: 16, random: ViewRandom(seed: UInt64(seed))).pixels)
        }
        #expect(places.count == 25 && places.contains(image.pixels))
        let small = RandomCrop().applied(to: image, target: 24)
        #expect(small.width == 24 && small.height == 24)
    }

    @Test func randAugmentChoosesAll() {
        var counts: [PolicyOperation: Int] = [:]
        var negative = 0
        var random = ViewRandom(seed: 6)
        for _ in 0..<7000 {
            for (operation, magnitude) in RandAugment().draw(size: 224, random: &random) {
                counts[operation, default: 0] += 1
                if operation == .rotate, magnitude < 0 { negative += 1 }
            }
        }
        #expect(counts.count == 14 && counts[.invert] == nil && counts.values.allSatisfy { abs($0 - 1000) < 150 })
        #expect(abs(negative - counts[.rotate]! / 2) < 80)
    }
}
