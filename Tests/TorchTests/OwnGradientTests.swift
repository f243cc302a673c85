import TestSupport
import Testing

@testable import Torch

/// Functions whose gradient the caller computes, against the graph's.
@Suite struct OwnGradientTests {
    /// (a², a · b) with the gradient written out.
    private func product(_ a: Tensor, _ b: Tensor, factor: Double = 1, _ kept: AnyObject? = nil) -> [Tensor] {
        let (x, y) = (a.detached(), b.detached())
        return withOwnGradient(of: [a, b]) {
            [a * a, a * b]
        } backward: { outputs, gradients in
            _ = kept
            // The outputs come back as they were.
            let root = outputs[0].sqrt() * outputs[1].sqrt() / outputs[1].sqrt()
            var byA = gradients[0].map { $0 * root * 2 * factor } ?? x.zerosLike()
            byA = gradients[1].map { byA + $0 * y } ?? byA
            return [byA, gradients[1].map { $0 * x }]
        }
    }

    private func leaves() -> (Tensor, Tensor) {
        Runtime.seed(8)
        let (a, b) = (Tensor.rand([16, 32], .float64) + 0.5, Tensor.rand([16, 32], .float64) + 0.5)
        (a.requiresGradient, b.requiresGradient) = (true, true)
        return (a, b)
    }

    @Test func gradientIsWhatIsReturned() throws {
        let weights = Tensor.randn([16, 32], .float64)
        func gradients(_ outputs: (Tensor, Tensor) -> [Tensor], _ loss: ([Tensor]) -> Tensor) -> [Tensor?] {
            let (a, b) = leaves()
            // A graph before and behind it.
            loss(outputs(a.exp(), b.exp()).map { $0.sin() }).backward()
            return [a.gradient, b.gradient]
        }
        let losses: [([Tensor]) -> Tensor] = [
            { ($0[0] * weights + $0[1]).sum() }, { ($0[0] * weights).sum() }, { ($0[1] * weights).sum() },
        ]
        for (index, loss) in losses.enumerated() {
            let own = gradients({ product($0, $1) }, loss)
            let plain = gradients({ [$0 * $0, $0 * $1] }, loss)
            expectClose(try #require(own[0]), try #require(plain[0]), .float64, "loss \(index)")
            if let expected = plain[1] { expectClose(try #require(own[1]), expected, .float64, "loss \(index)") }
            let wrong = gradients({ product($0, $1, factor: 1.01) }, loss)
            #expect((difference(try #require(wrong[0]), try #require(plain[0]), .float64) != nil) == (index < 2))
        }
        #expect(gradients({ product($0, $1) }, losses[1])[1] == nil, "nothing for an input that has none")
    }

    @Test func functionLivesAsLongAsTheGraph() {
        final class Object {}
        weak var seen: Object?
        let (a, b) = leaves()
        do {
            let object = Object()
            seen = object
            let outputs = product(a, b, object)
            #expect(outputs.allSatisfy { $0.requiresGradient })
            outputs[1].sum().backward(retainGraph: true)
            outputs[1].sum().backward()
            expectClose(b.gradient!, a.detached() * 2, .float64)
        }
        #expect(seen == nil)
        // Without a graph it is forgotten at once, and nothing has a gradient.
        do {
            let object = Object()
            seen = object
            let outputs = withoutGradients { product(a, b, object) }
            #expect(outputs.allSatisfy { !$0.requiresGradient })
            expectClose(outputs[0], a.detached().squared(), .float64)
        }
        #expect(seen == nil)
    }

    @Test func autocastIsSeen() {
        #expect(autocastType(on: .cpu) == nil)
        #expect(autocast(.bfloat16, on: .cpu) { autocastType(on: .cpu) } == .bfloat16)
        #expect(autocast(.bfloat16, on: .cpu) { fullPrecision(on: .cpu) { autocastType(on: .cpu) } } == .float32)
        #expect(autocastType(on: .cpu) == nil)
    }
}
