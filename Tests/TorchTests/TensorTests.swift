import TestSupport
import Testing

@testable import Torch

/// `Tensor`'s operations against PyTorch's, in float64.
@Suite struct TensorTests {
    let values: ReferenceValues
    let a, b, cube, image, positive: Tensor

    init() throws {
        values = try ReferenceValues.load("tensors")
        (a, b, cube, image, positive) = (values["a"], values["b"], values["cube"], values["image"], values["positive"])
    }

    /// Numbers within 1e-10; element types exactly.
    private func expect(_ cases: KeyValuePairs<String, Tensor>, sourceLocation: SourceLocation = #_sourceLocation) {
        for (name, tensor) in cases {
            let expected = values[name]
            #expect(tensor.dataType == expected.dataType, "\(name)", sourceLocation: sourceLocation)
            expectClose(tensor, expected, .float64, "\(name)", sourceLocation: sourceLocation)
        }
    }

    @Test func arithmetic() {
        expect([
            "add": a + b, "add_scalar": 1.25 + a, "subtract": a - b, "subtract_scalar": a - 1.25, "scalar_subtract": 1.25 - a,
            "multiply": a * b, "divide": a / positive, "scalar_divide": 2.5 / positive, "negate": -a, "exp": a.exp(),
            "log": positive.log(), "log1p": positive.log1p(), "sqrt": positive.sqrt(), "rsqrt": positive.rsqrt(), "absolute": a.abs(),
            "squared": a.squared(), "sin": a.sin(), "cos": a.cos(), "tanh": a.tanh(), "pow": positive.pow(1.7),
            "clamp": a.clamped(-0.5, 0.8), "clamp_low": a.clamped(-0.5), "clamp_high": a.clamped(nil, 0.8), "maximum": a.maximum(b),
            "minimum": a.minimum(b), "where": a.where(a.greater(0), otherwise: b), "filled": a.filled(-2, where: b.greater(0.3)),
        ])
        expectSame(a + 1.25, 1.25 + a)
        expectSame(a * 3, 3 * a)
        expectClose(a / 4, a * 0.25, .float64)
    }

    /// As in PyTorch, an integer tensor and a `Double` make a float32 tensor, also when the number is whole; two integer tensors
    /// stay integers, and divide to float32.
    @Test func integersAndDoublesPromoteAsInTorch() {
        let ints = values["ints"]
        expect([
            "int_plus_double": ints + 1, "int_times_double": ints * 0.5, "int_divided": ints / 2, "int_power": ints.squared().to(.float32),
            "int_plus_int": ints + ints, "bool_sum": ints.greater(0).sum(), "int_sum": ints.to(.int32).sum(),
        ])
        #expect(ints.pow(2).dataType == .float32)
        #expect((ints / Tensor([1, 2, 3, 4, 5, 6])).dataType == .float32)
        expectClose(ints / Tensor([1, 2, 3, 4, 5, 6]), values["int_divided_by_int"], .float32)
        #expect(ints.clamped(0, 5).dataType == .float32)
        #expect((Tensor([1.0, 2.0]) + Tensor([1, 2])).dataType == .float64)
        #expect((Tensor([Float(1)]) + Tensor(scalar: 2.0)).dataType == .float32)
        #expect((Tensor([Float(1)]) + Tensor([2.0])).dataType == .float64)
    }

    /// A comparison with a number keeps every integer apart, beyond float32's 24 bits too.
    @Test func comparisonsOfLargeIntegers() {
        let large = Tensor([16_777_216, 16_777_217, 16_777_218])
        #expect(large.equal(16_777_217).to(.int64).ints == [0, 1, 0])
        #expect(large.notEqual(16_777_216).ints == [0, 1, 1])
        #expect(large.greater(16_777_216).ints == [0, 1, 1])
        #expect(large.less(16_777_217).ints == [1, 0, 0])
        #expect(large.atLeast(16_777_217).ints == [0, 1, 1])
    }

    @Test func comparisons() {
        let (x, y) = (Tensor([1.0, 2, 3]), Tensor([3.0, 2, 1]))
        #expect(x.equal(y).values() == [false, true, false])
        #expect(x.equal(2).values() == [false, true, false])
        #expect(x.notEqual(2).values() == [true, false, true])
        #expect(x.greater(y).values() == [false, false, true])
        #expect(x.less(y).values() == [true, false, false])
        #expect(x.greater(2).values() == [false, false, true])
        #expect(x.atLeast(2).values() == [false, true, true])
        #expect(x.less(2).values() == [true, false, false])
        #expect(x.less(3).and(x.greater(1)).values() == [false, true, false])
        #expect(x.less(3).not.values() == [false, false, true])
        #expect(Tensor([1, .nan, .infinity]).isFinite().values() == [true, false, false])
        #expect(x.less(4).all().values() == [true] && x.less(3).all().values() == [false])
        #expect(x.less(2).any().values() == [true] && x.less(1).any().values() == [false])
    }

    @Test func inPlace() {
        let shared = a.reshaped(-1)
        a.addInPlace(b, scale: 0.5)
        expectClose(shared.reshaped(16, 32), values["a"] + values["b"] * 0.5, .float64)
        let lerp = values["a"]
        lerp.lerpInPlace(b, 0.3)
        expect(["lerp": lerp])
        let x = Tensor([1.0, -2])
        x.multiplyInPlace(3)
        #expect(x.doubles == [3, -6])
        x.fillInPlace(7)
        #expect(x.doubles == [7, 7])
        x.copyInPlace(Tensor([1, 2]))
        #expect(x.doubles == [1, 2] && x.dataType == .float64)
        x.zeroInPlace()
        #expect(x.doubles == [0, 0])
        let copy = values["a"]
        copy.indexCopyInPlace(0, Tensor([3, 1]), values["b"][0..<2])
        expect(["index_copy": copy])
    }

    @Test func activations() {
        expect([
            "relu": a.relu(), "gelu": a.gelu(), "sigmoid": a.sigmoid(), "silu": a.silu(), "softplus": a.softplus(),
            "leaky_relu": a.leakyRelu(0.2), "softmax": a.softmax(), "softmax_rows": a.softmax(0), "log_softmax": a.logSoftmax(),
        ])
        let over = values["a"]
        let address = over.address
        #expect(over.reluInPlace().address == address)
        expect(["relu": over])
    }

    @Test func reductions() {
        expect([
            "sum": a.sum(), "sum_rows": a.sum(0), "sum_two": cube.sum(0, 2, keep: true), "mean": a.mean(),
            "mean_columns": a.mean(1, keep: true), "variance": cube.variance(1, 2), "variance_biased": cube.variance(1, 2, correction: 0),
            "deviation": a.standardDeviation(1), "max": a.max(), "min": a.min(), "max_columns": a.max(1), "min_rows": a.min(0, keep: true),
            "argmax": a.argmax(1), "argmin": a.argmin(0), "norm": a.norm(), "norm_columns": a.norm(1), "cumulative": a.cumulativeSum(1),
            "counts": values["classes"].counts(40), "log_sum_exp": values["logits"].logSumExp(1),
            "log_sum_exp_large": (values["logits"] * 400).logSumExp(0, keep: true),
        ])
        #expect(a.mean().item == a.mean().doubles[0])
    }

    @Test func ordering() {
        let top = a.top(5)
        expect([
            "top_values": top.values, "top_indices": top.indices, "top_rows": a.top(3, dimension: 0).indices,
            "sort_values": a.sorted(0).values, "sort_indices": a.sorted(0, descending: true).indices,
        ])
        // Many equal values: only a stable sort keeps their order.
        expect(["stable_up": values["ties"].sorted().indices, "stable_down": values["ties"].sorted(descending: true).indices])
    }

    @Test func normalizing() {
        let tiny = values["tiny"]
        expect(["normalize": tiny.normalized(), "normalize_epsilon": tiny.normalized(1, epsilon: 1e-3)])
        #expect(tiny.normalized().isFinite().all().item == 1)
        #expect(Tensor([0.0, 0]).normalized(0).doubles == [0, 0])
    }

    @Test func shapes() {
        expect([
            "reshape": cube.reshaped(8, -1), "permute": cube.permuted(2, 0, 1), "transpose": cube.transposed(0, 2),
            "flatten": cube.flattened(from: 1), "expand": a.narrowed(1, from: 0, count: 1).expanded([16, 7]),
            "narrow": cube.narrowed(1, from: 2, count: 3), "select": cube.selected(2, 3), "row": cube[-1], "row_range": cube[1..<3],
            "chunk_last": a.chunks(3)[2], "split_last": cube.split(4, dimension: 1)[1],
            "concatenate": .concatenated([a, b], dimension: 1), "stack": .stacked([a, b], dimension: 1),
            "flip": values["grid"].flipped(0, 2), "roll": a.rolled(5, dimension: 1), "diagonal": values["square"].diagonal,
        ])
        #expect(
            cube.t.shape == [4, 5, 6] && cube.unsqueezed(-1).shape == [4, 6, 5, 1] && cube.unsqueezed(0).squeezed(0).shape == [4, 6, 5])
        #expect(cube.size(-1) == 5 && cube.size(0) == 4 && cube.rank == 3 && cube.count == 120)
        #expect(a.chunks(3).map { $0.size(0) } == [6, 6, 4] && cube.split(4, dimension: 1).count == 2)
        let narrowed = a[2..<5]
        narrowed.zeroInPlace()
        #expect(a[2].abs().sum().item == 0 && a[5].abs().sum().item > 0, "narrowing shares the storage")
        let square = values["square"].withDiagonal(-9)
        #expect(square.diagonal.doubles == [Double](repeating: -9, count: 8))
        #expect(square[0].doubles.dropFirst() == values["square"][0].doubles.dropFirst())
    }

    @Test func indexing() {
        let (rows, places) = (values["rows"], values["places"])
        expect([
            "index_select": a.rows(rows), "index_select_columns": cube.rows(Tensor([5, 0, 0]), dimension: 1),
            "index_pair": a.indexed([rows, places[0..<10].selected(1, 0)]), "index_columns": cube.indexed([nil, Tensor([4, 1])]),
            "index_mask": a.indexed([a.selected(1, 0).greater(0)]), "gather": a.gathered(1, places),
            "scatter_add": a.scatterAdded(1, places, b.narrowed(1, from: 0, count: 5)), "one_hot": values["classes"].oneHot(32),
        ])
    }

    @Test func rotationIsCounterClockwise() {
        let grid = values["grid"]
        expect([
            "rotate_1": grid.rotated(quarterTurns: 1), "rotate_2": grid.rotated(quarterTurns: 2), "rotate_3": grid.rotated(quarterTurns: 3),
        ])
        // The right column becomes the top row.
        #expect(Tensor([1, 2, 3, 4], [2, 2]).rotated(quarterTurns: 1).ints == [2, 4, 1, 3])
        expectSame(grid.rotated(quarterTurns: 4), grid)
    }

    @Test func networkFunctions() {
        expect([
            "matmul": a.matmul(b.t), "matmul_batched": cube.matmul(cube.t), "max_pool": image.maxPool2d(3, stride: 2, padding: 1),
            "average_pool": image.averagePool2d(2, stride: 2, padding: 1), "adaptive_pool": image.adaptiveAveragePool2d(3),
            "global_pool": image.globalAveragePool(), "bilinear_up": image.resizedBilinear(height: 7, width: 9),
            "bilinear_down": image.resizedBilinear(height: 3, width: 4),
        ])
    }

    @Test func crossEntropy() {
        let (logits, classes) = (values["logits"], values["classes"])
        expect([
            "cross_entropy": logits.crossEntropy(classes), "cross_entropy_smoothed": logits.crossEntropy(classes, labelSmoothing: 0.1),
            "cross_entropy_ignoring": logits.crossEntropy(classes, labelSmoothing: 0.2, ignoring: 5),
            "cross_entropy_soft": logits.crossEntropy(values["soft"]),
        ])
    }

    @Test func linearAlgebra() {
        let spd = values["spd"]
        let eigen = spd.symmetricEigen()
        let cholesky = spd.cholesky()
        expect([
            "singular_values": a.singularValues(), "eigenvalues": eigen.values, "cholesky": cholesky,
            "solve": cholesky.solveTriangular(values["square"], upper: false),
        ])
        // Eigenvectors are free in sign: V diag(λ) Vᵀ is not.
        expectClose((eigen.vectors * eigen.values).matmul(eigen.vectors.t), spd, .float64)
        expectClose(cholesky.matmul(cholesky.t), spd, .float64)
    }

    @Test func making() {
        expectSame(.zeros([2, 3]), Tensor([Float](repeating: 0, count: 6), [2, 3]))
        expectSame(.ones([2], .int16), Tensor([Int16(1), 1]))
        expectSame(.full([2, 1], 2.5, .float64), Tensor([2.5, 2.5], [2, 1]))
        expectSame(.arange(4), Tensor([0, 1, 2, 3]))
        expectSame(.arange(3, .float32), Tensor([Float(0), 1, 2]))
        expectSame(.eye(2), Tensor([Float(1), 0, 0, 1], [2, 2]))
        #expect(Tensor.randn([3], .float64).dataType == .float64)
        let uniform = Tensor.rand([10_000])
        #expect(uniform.min().item >= 0 && uniform.max().item < 1 && abs(uniform.mean().item - 0.5) < 0.02)
        #expect(Tensor.randomPermutation(50).ints.sorted() == Array(0..<50))
        let normal = Tensor.zeros([10_000])
        normal.normalInPlace(mean: 3, standardDeviation: 2)
        #expect(abs(normal.mean().item - 3) < 0.15 && abs(normal.standardDeviation(0).item - 2) < 0.1)
        #expect(Tensor(scalar: true).dataType == .bool && Tensor(scalar: true).shape == [])
        #expect(Tensor([UInt8](), [0, 3]).count == 0 && Tensor([UInt8](), [0, 3]).bytes == [])
        expectSame(a.zerosLike(), .zeros([16, 32], .float64))
        expectSame(a.onesLike(), .ones([16, 32], .float64))
    }

    @Test func copiesAndTypes() {
        let x = Tensor([1.7, -2.7, 300])
        #expect(x.to(.int32).values() == [Int32(1), -2, 300])
        #expect(x.to(.float64) === x && x.to(.cpu) === x)
        #expect(x.to(.float16).dataType == .float16 && x.to(.bfloat16).to(.float64).doubles[2] == 300)
        let copy = x.cloned()
        copy.fillInPlace(0)
        #expect(x.doubles == [1.7, -2.7, 300])
        let turned = cube.permuted(2, 0, 1)
        #expect(!turned.isContiguous && turned.contiguous().isContiguous)
        #expect(turned.contiguous().doubles == turned.doubles, "values come in row-major order whatever the layout")
        #expect(image.contiguous(.channelsLast).doubles == image.doubles)
        #expect(Tensor(scalar: Float(2.5)).item == 2.5 && Tensor(scalar: true).item == 1 && Tensor(scalar: 7).item == 7)
        #expect(a.summary == "float64 [16, 32] on cpu")
        for type in DataType.allCases {
            let ones = Tensor.ones([3], type)
            #expect(ones.dataType == type && ones.bytes.count == 3 * type.size && ones.ints == [1, 1, 1])
        }
    }
}
