import TestSupport
import Testing

@testable import Torch

@Suite struct ModuleTests {
    class Base: Module {
        let stem = Linear(2, 3)
        let maskToken = Parameter(.zeros([3]))
        var note = "not a weight"
    }

    final class Net: Base {
        let blocks = [[Linear(1, 1)], [Linear(1, 1, bias: false), Linear(1, 1)]]
        let shortcut: Linear? = Linear(3, 3, bias: false)
        let absent: Linear? = nil
        let heads = ["rotation": Linear(3, 4, bias: false), "jigsaw": Linear(3, 5, bias: false)]
        let runningCentre = Buffer(.zeros([3]))
        let positions: [Parameter?] = [Parameter(.zeros([2])), nil, Parameter(.zeros([4]))]
        let norm: Layer = BatchNorm(3)
        var width: Int { 3 }
        let table = [Int](repeating: 0, count: 100_000)
        let sizes = (3, 4)
    }

    @Test func keysComeFromPropertiesParentFirst() {
        let keys = Net().namedParameters.map(\.key)
        #expect(
            keys == [
                "mask_token", "positions.0", "positions.2", "stem.weight", "stem.bias", "blocks.0.0.weight", "blocks.0.0.bias",
                "blocks.1.0.weight", "blocks.1.1.weight", "blocks.1.1.bias", "shortcut.weight", "heads.jigsaw.weight",
                "heads.rotation.weight", "norm.weight", "norm.bias",
            ])
        #expect(
            Net().namedBuffers.map(\.key) == [
                "running_centre", "norm.running_mean", "norm.running_var", "norm.num_batches_tracked",
            ])
        #expect(
            Net().children.map(\.key) == [
                "stem", "blocks.0.0", "blocks.1.0", "blocks.1.1", "shortcut", "heads.jigsaw", "heads.rotation", "norm",
            ])
        #expect(Net().modules.count == 9)
        #expect(Net().parameterCount == 3 + 2 + 4 + 9 + 2 + 1 + 2 + 9 + 15 + 12 + 6)
    }

    @Test func sharedParametersCountOnce() {
        final class Tied: Module {
            let first: Linear
            let second: Linear
            let again: [Parameter]
            override init() {
                first = Linear(3, 2, bias: false)
                second = first
                again = [first.weight]
                super.init()
            }
        }
        let tied = Tied()
        #expect(tied.namedParameters.map(\.key) == ["again.0"])
        #expect(tied.parameterCount == 6)
    }

    @Test func modesGoDownAndComeBack() throws {
        struct Stop: Error {}
        let net = Net()
        #expect(net.modules.allSatisfy { $0.isTraining })
        net.eval()
        #expect(!net.modules.contains { $0.isTraining })
        net.train()
        net.norm.eval()
        let during = net.evaluating { net.modules.map(\.isTraining) }
        #expect(!during.contains(true))
        #expect(net.isTraining && !net.norm.isTraining && net.stem.isTraining, "as it was, not as a whole")
        #expect(throws: Stop.self) { try net.evaluating { () throws(Stop) in throw Stop() } }
        #expect(net.isTraining && !net.norm.isTraining)
        let mlp = MLP([2, 3, 2])
        mlp.eval()
        #expect(!mlp.layers.layers.contains { $0.isTraining })
    }

    @Test func freezingStopsGradients() {
        let net = Sequential(Linear(2, 3), Linear(3, 1))
        net.layers[0].setTrainable(false)
        net(Tensor.ones([4, 2])).sum().backward()
        #expect(net.parameters.map { $0.value.gradient != nil } == [false, false, true, true])
        #expect(net.parameters.map(\.isTrainable) == [false, false, true, true])
        net.setTrainable(true)
        net(Tensor.ones([4, 2])).sum().backward()
        #expect(net.parameters.allSatisfy { $0.value.gradient != nil })
        net.clearGradients()
        #expect(net.parameters.allSatisfy { $0.value.gradient == nil })
    }

    @Test func parametersAreLeavesWhateverTheyAreMadeOf() {
        let source = Tensor.ones([2])
        source.requiresGradient = true
        let parameter = Parameter(source * 3)
        #expect(parameter.value.requiresGradient)
        (parameter.value * 2).sum().backward()
        #expect(parameter.value.gradient?.doubles == [2, 2] && source.gradient == nil)
        let buffer = Buffer(source * 3)
        #expect(!buffer.value.requiresGradient)
        let address = buffer.value.address
        buffer.set(source * 5)
        #expect(buffer.value.doubles == [5, 5] && buffer.value.address == address && !buffer.value.requiresGradient)
    }

    @Test func snakeCase() {
        final class Names: Module {
            let fc1 = Parameter(.zeros([1]))
            let numBatchesTracked = Parameter(.zeros([1]))
            let conv2d = Parameter(.zeros([1]))
            let downsample = Parameter(.zeros([1]))
            let `class` = Parameter(.zeros([1]))
        }
        #expect(Names().namedParameters.map(\.key) == ["fc1", "num_batches_tracked", "conv2d", "downsample", "class"])
    }

    // MARK: State dicts

    @Test func stateIsLoadedWhole() throws {
        let (from, to) = (Net(), Net())
        from.runningCentre.set(.ones([3]))
        _ = from.norm(Tensor.randn([8, 3]))
        try to.load(from.stateDict)
        #expect(Set(to.stateDict.keys) == Set(from.namedParameters.map(\.key) + from.namedBuffers.map(\.key)))
        for (key, value) in to.stateDict {
            expectSame(value, from.stateDict[key]!, "\(key)")
            #expect(value.address != from.stateDict[key]!.address, "\(key) is a copy")
        }
        #expect(to.parameters.allSatisfy { $0.isTrainable })
        // Another element type is converted, and the module keeps its own.
        try to.load(from.stateDict.mapValues { $0.to(.float64) })
        #expect(to.stem.weight.value.dataType == .float32)
    }

    @Test func mismatchesAreListedAndNothingIsTouched() throws {
        let net = Net()
        let before = net.stateDict.mapValues { $0.cloned() }
        var state = net.stateDict.mapValues { $0.onesLike() }
        state["stem.bias"] = nil
        state["blocks.0.0.weight"] = nil
        state["fc.weight"] = .zeros([1])
        state["mask_token"] = .zeros([4])
        state["norm.weight"] = .zeros([1, 3])
        let error = #expect(throws: StateDictMismatch.self) { try net.load(state) }
        #expect(error?.missing == ["blocks.0.0.weight", "stem.bias"])
        #expect(error?.unexpected == ["fc.weight"])
        #expect(
            error?.misshapen == [
                .init(key: "mask_token", expected: [3], found: [4]), .init(key: "norm.weight", expected: [3], found: [1, 3]),
            ])
        let text = try #require(error).description
        for part in ["missing blocks.0.0.weight, stem.bias", "unexpected fc.weight", "mask_token ([4] for [3])"] {
            #expect(text.contains(part), "\(text)")
        }
        for (key, value) in net.stateDict { expectSame(value, before[key]!, "\(key)") }
    }

    @Test func ignoredKeysMayBeAbsent() throws {
        let net = Net()
        var state = net.stateDict.mapValues { $0.onesLike() }
        state["stem.bias"] = nil
        state["fc.weight"] = .zeros([1])
        let bias = net.stem.bias!.value.cloned().detached()
        #expect(throws: StateDictMismatch.self) { try net.load(state, ignoring: { $0 == "fc.weight" }) }
        try net.load(state, ignoring: { $0 == "fc.weight" || $0 == "stem.bias" })
        expectSame(net.stem.bias!.value.detached(), bias)
        #expect(net.stem.weight.value.floats == [Float](repeating: 1, count: 6))
        // It excuses absence, not a wrong shape.
        state["mask_token"] = .zeros([4])
        #expect(throws: StateDictMismatch.self) { try net.load(state, ignoring: { _ in true }) }
    }

    @Test func conversionLeavesCountersWhole() throws {
        let net = Sequential(Linear(3, 4), BatchNorm(4))
        net.parameters[0].isTrainable = false
        let before = net.stateDict.mapValues { $0.cloned() }
        net.convert(to: .float64)
        for (key, tensor) in net.stateDict {
            #expect(tensor.dataType == (key == "1.num_batches_tracked" ? .int64 : .float64), "\(key)")
            expectClose(tensor, before[key]!, .exact, "\(key)")
        }
        #expect(net.parameters.map(\.isTrainable) == [false, true, true, true])
        #expect(net(.randn([8, 3], .float64)).dataType == .float64)
    }

    @Test func weightsThatReflectionWouldMissAreRefused() async throws {
        let tuple = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            final class Hidden: Module { let pair = (Linear(2, 2), 3) }
            _ = Hidden().parameters
        }
        let text = String(decoding: try #require(tuple).standardErrorContent, as: UTF8.self)
        #expect(text.contains("'pair' holds weights in a (Linear, Int)"), "\(text)")
        await #expect(processExitsWith: .failure) {
            struct Heads { let rotation = [Linear(2, 2)] }
            final class Hidden: Module { let heads = Heads() }
            _ = Hidden().namedBuffers
        }
    }

    @Test func longListsAreCut() {
        let mismatch = StateDictMismatch(missing: (0..<9).map { "k\($0)" })
        #expect(mismatch.description == "the weights do not fit the network: missing k0, k1, k2, … (9 in all)")
    }
}
