import TestSupport
import Testing
import Torch

/// Layers against `torch.nn` in float64 on the same float32 numbers: outputs, gradients, statistics.
@Suite struct LayerTests {
    static let cases: [(name: String, training: Bool, make: @Sendable () -> Layer)] = [
        ("linear", true, { Linear(32, 24) }),
        ("linear_plain", true, { Linear(32, 24, bias: false) }),
        ("conv", true, { Conv2d(6, 8, kernel: 3) }),
        ("conv_strided", true, { Conv2d(6, 8, kernel: 4, stride: 2, padding: 1, bias: false) }),
        ("conv_grouped", true, { Conv2d(6, 8, kernel: 3, padding: 1, groups: 2) }),
        ("conv_depthwise", true, { Conv2d(6, 6, kernel: 3, padding: 1, groups: 6) }),
        ("conv_dilated", true, { Conv2d(6, 8, kernel: 3, padding: 2, dilation: 2) }),
        ("conv_pointwise", true, { Conv2d(6, 8, kernel: 1, stride: 2, bias: false) }),
        ("conv_standardized", true, { Conv2d(6, 8, kernel: 3, stride: 2, padding: 1, standardizesWeight: true) }),
        ("max_pool", true, { MaxPool2d(3, stride: 2, padding: 1) }),
        ("average_pool", true, { AveragePool2d(3, stride: 2) }),
        ("batch_norm", true, { BatchNorm(6) }),
        ("batch_norm_rows", true, { BatchNorm(32, epsilon: 1e-3, momentum: 0.3) }),
        ("batch_norm_plain", true, { BatchNorm(32, affine: false) }),
        ("batch_norm_eval", false, { BatchNorm(6) }),
        ("group_norm", true, { GroupNorm(3, 12) }),
        ("layer_norm", true, { LayerNorm(32, epsilon: 1e-6) }),
        ("mlp", true, { MLP([32, 48, 24]) }),
        ("mlp_normed", true, { MLP([32, 40, 36, 24], outputBatchNorm: true, outputAffine: false) }),
        ("mlp_plain", true, { MLP([32, 40, 24], batchNorm: false, outputBias: false) }),
    ]

    @Test(arguments: cases.indices) func matchesTorch(_ index: Int) throws {
        let (name, training, make) = Self.cases[index]
        let values = try ReferenceValues.load("layers").under(name)
        // Sums over a thousand products, in float32 on one side.
        let tolerance = Tolerance(relative: 1e-5, absolute: name.hasPrefix("conv") ? 3e-5 : 1e-5)
        do {
            try expectLayer(make(), matches: values, training: training, tolerance: tolerance)
        } catch {
            Issue.record("\(name): \(error)")
        }
    }

    /// The comparison itself must be able to fail: wrong settings of the same shape are told apart.
    @Test func wrongSettingsAreSeen() throws {
        func differs(_ name: String, _ layer: Layer, training: Bool = true) throws -> Bool {
            let values = try ReferenceValues.load("layers").under(name)
            try layer.load(values.under("state").tensors)
            if !training { layer.eval() }
            return difference(layer(values["0.input"]), values["0.output"], .float32) != nil
        }
        #expect(try differs("conv_standardized", Conv2d(6, 8, kernel: 3, stride: 2, padding: 1)))
        #expect(try differs("layer_norm", LayerNorm(32, epsilon: 1e-2)))
        #expect(try differs("group_norm", GroupNorm(4, 12)))
        #expect(try differs("batch_norm_eval", BatchNorm(6)))
        #expect(try differs("batch_norm_rows", BatchNorm(32), training: false))
    }

    @Test func keysAreTorchs() {
        func keys(_ layer: Layer) -> [String] { layer.stateDict.keys.sorted() }
        #expect(keys(Linear(3, 2)) == ["bias", "weight"])
        #expect(keys(Conv2d(3, 2, kernel: 1, bias: false)) == ["weight"])
        #expect(keys(BatchNorm(3)) == ["bias", "num_batches_tracked", "running_mean", "running_var", "weight"])
        #expect(keys(BatchNorm(3, affine: false)) == ["num_batches_tracked", "running_mean", "running_var"])
        let nested = Sequential(Linear(3, 2), Activation.relu, Sequential(LayerNorm(2)))
        #expect(keys(nested) == ["0.bias", "0.weight", "2.0.bias", "2.0.weight"])
        #expect(
            keys(MLP([4, 3, 2])) == [
                "0.weight", "1.bias", "1.num_batches_tracked", "1.running_mean", "1.running_var", "1.weight", "3.bias", "3.weight",
            ])
        #expect(keys(MLP([4, 3], outputBatchNorm: true, outputBias: true)).contains("0.bias"))
        #expect(!keys(MLP([4, 3], outputBatchNorm: true)).contains("0.bias"))
        #expect(keys(MLP([4, 3, 2], batchNorm: false)) == ["0.bias", "0.weight", "2.bias", "2.weight"])
        #expect(keys(MLP([4, 3, 2], batchNorm: false, outputBias: false)) == ["0.bias", "0.weight", "2.weight"])
    }

    @Test func seedsDrawTorchsInitialisation() throws {
        let values = try ReferenceValues.load("layers").under("seeded")
        Runtime.seed(7)
        let linear = Linear(32, 24)
        let conv = Conv2d(6, 8, kernel: 3)
        let fanOut = Conv2d(8, 16, kernel: 3, bias: false, kaimingFanOut: true)
        // The bound is computed in another order there: one unit in the last place.
        let tolerance = Tolerance(relative: 2e-7, absolute: 1e-9)
        expectClose(linear.weight.value, values["linear.weight"], tolerance)
        expectClose(try #require(linear.bias).value, values["linear.bias"], tolerance)
        expectClose(conv.weight.value, values["conv.weight"], tolerance)
        expectClose(try #require(conv.bias).value, values["conv.bias"], tolerance)
        expectClose(fanOut.weight.value, values["fan_out"], tolerance)
    }

    @Test func dropoutKeepsTheMeanAndCountsItsZeros() {
        Runtime.seed(11)
        let layer = Dropout(0.3)
        let dropped = layer(Tensor.ones([200, 500]))
        let zeros = dropped.equal(0).to(.float64).mean().item
        // Six standard deviations of the share of zeros in 100,000 draws.
        #expect(abs(zeros - 0.3) < 6 * (0.3 * 0.7 / 100_000).squareRoot())
        #expect(Set(dropped.floats).count == 2)
        expectClose(dropped.max(), Tensor(scalar: 1 / 0.7), .float32)
        #expect(dropped.floats != layer(Tensor.ones([200, 500])).floats)
        layer.eval()
        expectSame(layer(Tensor.ones([5])), Tensor.ones([5]))
    }

    @Test func evaluationLeavesStatisticsAlone() {
        let layer = BatchNorm(4)
        layer.eval()
        let before = layer.stateDict.mapValues { $0.cloned() }
        _ = layer(Tensor.randn([16, 4]))
        for (key, value) in layer.stateDict { expectSame(value, before[key]!) }
        layer.train()
        _ = layer(Tensor.randn([16, 4]))
        #expect(layer.numBatchesTracked.value.ints == [1])
        #expect(layer.runningMean.value.floats != before["running_mean"]!.floats)
    }

    @Test func standardizedWeightsHaveMeanZeroAndVarianceOne() {
        let layer = Conv2d(8, 5, kernel: 3, bias: false, standardizesWeight: true)
        // With one-hot inputs a convolution reads its own weights, one tap at a time.
        let taps = Tensor.eye(72).reshaped(72, 8, 3, 3)
        let weights = layer(taps).reshaped(72, 5)
        expectClose(weights.mean(0), Tensor.zeros([5]), .float32)
        expectClose(weights.variance(0, correction: 0), Tensor.ones([5]), .float32)
    }

    @Test func channelsLastGoesThrough() {
        let network = Sequential(Conv2d(3, 8, kernel: 3, padding: 1, bias: false), BatchNorm(8), Activation.relu, MaxPool2d(2, stride: 2))
        let image = Tensor.randn([2, 3, 8, 8]).contiguous(.channelsLast)
        #expect(image.isChannelsLast && !image.isContiguous)
        let output = network(image)
        #expect(output.isChannelsLast && !output.isContiguous)
        output.squared().sum().backward()
        let kernel = network.parameters[0]
        #expect(kernel.value.isChannelsLast && !kernel.value.isContiguous)
        #expect(kernel.value.gradient!.isChannelsLast)
        network.eval()
        #expect(network(image).isChannelsLast)
        // The layout changes no number.
        expectClose(network(image), network(image.contiguous()), .float32)
    }
}
