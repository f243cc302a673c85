import TestSupport
import Testing

@testable import Torch

@Suite struct AutogradTests {
    private func leaf(_ values: [Double], _ shape: [Int]? = nil) -> Tensor {
        let tensor = Tensor(values, shape ?? [values.count])
        tensor.requiresGradient = true
        return tensor
    }

    @Test func backwardAccumulatesAndClears() {
        let x = leaf([1, -2, 3])
        (x * x).sum().backward()
        #expect(x.gradient?.doubles == [2, -4, 6])
        (x * 10).sum().backward()
        #expect(x.gradient?.doubles == [12, 6, 16])
        x.gradient = nil
        #expect(x.gradient == nil)
        (x * x).backward(Tensor([1.0, 0, -1]))
        #expect(x.gradient?.doubles == [2, 0, -6])
        x.gradient = Tensor([5.0, 5, 5])
        #expect(x.gradient?.doubles == [5, 5, 5])
    }

    @Test func retainedGraphsGoTwice() {
        let x = leaf([2])
        let y = (x * x * x).sum()
        y.backward(retainGraph: true)
        y.backward()
        #expect(x.gradient?.doubles == [24])
    }

    @Test func detachedIsOutsideTheGraphAndSharesValues() {
        let x = leaf([2, 3])
        let y = x * 2
        let outside = y.detached()
        #expect(y.requiresGradient && !outside.requiresGradient && outside.address == y.address)
        (outside * x).sum().backward()
        #expect(x.gradient?.doubles == [4, 6])
    }

    @Test func modesNestAndComeBack() {
        let x = leaf([1, 2])
        func records() -> Bool { (x * 2).requiresGradient }
        #expect(records())
        withoutGradients {
            #expect(!records())
            withGradients {
                #expect(records())
                withoutGradients { #expect(!records()) }
                #expect(records())
            }
            #expect(!records())
        }
        #expect(records())
        inference {
            #expect(!records())
            inference { #expect(!records()) }
            #expect(!records())
        }
        #expect(records())
    }

    @Test func modesComeBackAfterAnError() {
        struct Stop: Error {}
        let x = leaf([1])
        #expect(throws: Stop.self) { try withoutGradients { () throws(Stop) in throw Stop() } }
        #expect((x * 2).requiresGradient)
        #expect(throws: Stop.self) { try inference { () throws(Stop) in throw Stop() } }
        #expect((x * 2).requiresGradient)
        #expect(throws: Stop.self) { try withoutGradients { try withGradients { () throws(Stop) in throw Stop() } } }
        #expect((x * 2).requiresGradient)
    }

    @Test func gradientsLeaveLeavesAlone() throws {
        let (x, y, unused) = (leaf([1, 2]), leaf([3, 4]), leaf([9]))
        let found = gradients(of: [(x * y).sum(), x.sum()], by: [x, y, unused])
        #expect(found[0]?.doubles == [4, 5] && found[1]?.doubles == [1, 2] && found[2] == nil)
        #expect(x.gradient == nil && y.gradient == nil)
        let seeded = gradients(of: [x * x], with: [Tensor([1.0, 10])], by: [x])
        #expect(seeded[0]?.doubles == [2, 40])
    }

    @Test func secondDerivatives() throws {
        let x = leaf([0.3, -1.2, 2])
        let first = try #require(gradients(of: [x.sin().sum()], by: [x], createGraph: true)[0])
        #expect(first.requiresGradient)
        expectClose(first, x.cos(), .float64)
        let second = try #require(gradients(of: [first.sum()], by: [x], createGraph: true)[0])
        expectClose(second, -x.sin(), .float64)
        let third = try #require(gradients(of: [second.sum()], by: [x])[0])
        expectClose(third, -x.cos(), .float64)
        #expect(!third.requiresGradient)
    }

    @Test func finiteDifferences() throws {
        let values = try ReferenceValues.load("tensors")
        let (a, b) = (values["a"][0..<4].narrowed(1, from: 0, count: 6), values["b"][0..<4].narrowed(1, from: 0, count: 6))
        let classes = Tensor([1, 5, 0, 2])
        checkGradient(at: a, b) { $0[0].normalized().matmul($0[1].normalized().t) }
        checkGradient(at: a) { ($0[0] / 0.1).crossEntropy(classes, labelSmoothing: 0.1) }
        checkGradient(at: a) { ($0[0] * 3).logSumExp(1) - $0[0].softmax(1).log().mean(1) }
        checkGradient(at: a, b) { $0[0].gelu() * $0[1].silu() + $0[1].softplus().tanh() }
        checkGradient(at: a) { $0[0].variance(0).sqrt() + $0[0].standardDeviation(0, correction: 0) }
        checkGradient(at: a, b) { x in x[0].where(b.greater(0), otherwise: x[1] * x[1]).cumulativeSum(1) }
        let spd = a.matmul(a.t) + Tensor.eye(4, .float64)
        checkGradient(at: a) { ($0[0].matmul($0[0].t) + Tensor.eye(4, .float64)).cholesky() }
        checkGradient(at: spd) { ($0[0] + $0[0].t).symmetricEigen().values }
        checkGradient(at: a) { $0[0].singularValues() }
        let image = values["image"]
        let kernel = a.reshaped(-1).narrowed(0, from: 0, count: 24).reshaped(2, 3, 2, 2)
        checkGradient(at: image, kernel) { $0[0].conv2d($0[1], stride: 2, padding: 1) }
        checkGradient(at: image) { $0[0].resizedBilinear(height: 5, width: 5).averagePool2d(2, stride: 1) }
        checkGradient(at: a) { x in x[0].rows(Tensor([3, 0, 0])).gathered(1, Tensor([2, 1, 0, 5, 5, 5], [3, 2])) }
        // Batch-norm's gradient goes through the batch's own statistics.
        checkGradient(at: image) {
            Operation("batch_norm")($0[0], Tensor?.none, Tensor?.none, Tensor?.none, Tensor?.none, true, 0.1, 1e-5, false)
        }
    }

    /// The check sees a gradient that is missing (a value detached on the way) or wrong.
    @Test func finiteDifferencesCanFail() {
        let x = Tensor([0.5, 1.5])
        #expect(gradientDifference(at: [x]) { $0[0] * $0[0] } == nil)
        #expect(gradientDifference(at: [x]) { $0[0] * $0[0].detached() } != nil)
        #expect(gradientDifference(at: [x]) { $0[0].where(Tensor([true, false]), otherwise: $0[0].detached()) } != nil)
    }

    /// A cast of a weight that is made without a graph must not be the one that is used with a graph.
    @Test func autocastCastsWithAndWithoutGraph() throws {
        let layer = Linear(8, 4)
        let x = Tensor.randn([3, 8])
        autocast(.bfloat16, on: .cpu) {
            let target = withoutGradients { layer(x) }
            #expect(target.dataType == .bfloat16 && !target.requiresGradient)
            _ = inference { layer(x) }
            let output = layer(x)
            #expect(output.dataType == .bfloat16)
            output.to(.float32).sum().backward()
        }
        let gradient = try #require(layer.weight.value.gradient)
        #expect(gradient.dataType == .float32)
        expectClose(gradient[0], x.sum(0), Tolerance(relative: 0.02, absolute: 0.05))
        #expect(layer(x).dataType == .float32)
    }

    @Test func autocastNests() {
        let layer = Linear(8, 4)
        let x = Tensor.randn([3, 8])
        autocast(.bfloat16, on: .cpu) {
            #expect(layer(x).dataType == .bfloat16, "and the weights' casts are kept")
            autocast(.float16, on: .cpu) { #expect(layer(x).dataType == .float16) }
            #expect(layer(x).dataType == .bfloat16)
            autocast(nil, on: .cpu) { #expect(layer(x).dataType == .bfloat16) }
        }
        #expect(layer(x).dataType == .float32)
    }
}
