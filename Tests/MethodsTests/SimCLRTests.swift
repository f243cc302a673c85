import Backbones
import TestSupport
import Testing
import Torch
import Views

@testable import Methods

@Suite struct SimCLRTests {
    private func head(_ change: (inout SimCLR.Settings) -> Void) throws -> [String: [Int]] {
        var settings = SimCLR.Settings()
        change(&settings)
        let method = try SimCLR(settings, tinyContext())
        let state = method.stateDict.mapValues(\.shape).filter { !$0.key.hasPrefix("online.encoder.") }
        return Dictionary(uniqueKeysWithValues: state.map { ($0.key.replacing("online.projector.", with: ""), $0.value) })
    }

    private func batchNorm(_ index: Int, _ width: Int) -> [String: [Int]] {
        var keys: [String: [Int]] = ["\(index).num_batches_tracked": []]
        for name in ["weight", "bias", "running_mean", "running_var"] { keys["\(index).\(name)"] = [width] }
        return keys
    }

    /// The layers of the authors' heads and of solo-learn's, at the positions that a `torch.nn.Sequential` gives them.
    @Test func headShapesAndKeys() throws {
        let published = ["0.weight": [32, 32], "3.weight": [128, 32]].merging(batchNorm(1, 32)) { $1 }.merging(batchNorm(4, 128)) { $1 }
        #expect(try head { _ in } == published)
        let solo = try head { ($0.hiddenWidth, $0.outputWidth, $0.headBatchNorm) = (48, 24, false) }
        #expect(solo == ["0.weight": [48, 32], "0.bias": [48], "2.weight": [24, 48], "2.bias": [24]])
        let second = try head { ($0.hiddenWidth, $0.outputWidth, $0.headLayers) = (40, 16, 3) }
        let weights = ["0.weight": [40, 32], "3.weight": [40, 40], "6.weight": [16, 40]]
        #expect(second == weights.merging(batchNorm(1, 40)) { $1 }.merging(batchNorm(4, 40)) { $1 }.merging(batchNorm(7, 16)) { $1 })
        let linear = try head { ($0.outputWidth, $0.headLayers, $0.headBatchNorm) = (16, 1, false) }
        #expect(linear == ["0.weight": [16, 32], "0.bias": [16]])
    }

    @Test func encoderKeepsItsPublishedKeys() throws {
        let method = try SimCLR(SimCLR.Settings(), tinyContext())
        let inside = method.stateDict.keys.filter { $0.hasPrefix("online.encoder.") }.map { $0.dropFirst("online.encoder.".count) }
        #expect(Set(inside.map(String.init)) == Set(method.encoder.stateDict.keys))
        #expect(method.encoder.stateDict["layer1.0.conv1.weight"]?.shape == [4, 4, 3, 3])
        #expect(method.projector?.stateDict["0.weight"]?.shape == [32, 32])
        #expect(method.movingAverages.isEmpty && method.phases.map(\.name) == ["main"])
    }

    /// One pass for both views, with the batch-norm statistics of all 2N.
    @Test func viewsPassTogether() throws {
        Runtime.seed(4)
        var settings = SimCLR.Settings()
        settings.temperature = 0.31
        let method = try SimCLR(settings, tinyContext())
        var batch = noise(2, 16)
        // Another brightness, so that it matters whose statistics they are.
        batch.views[1] = (batch.views[1].to(.float32) * 0.3).to(.uint8)
        let losses = method.loss(batch, firstStep)
        #expect(losses.parts.map(\.name) == ["nt_xent"])
        #expect(method.stateDict["online.encoder.bn1.num_batches_tracked"]?.ints == [1])
        let joint = ContrastiveLoss.ntXent(method.online(.concatenated(batch.views)).to(.float64), temperature: 0.31)
        expectClose(losses.total, joint, .float32)
        let apart = ContrastiveLoss.ntXent(
            .concatenated([method.online(batch.views[0]), method.online(batch.views[1])]).to(.float64), temperature: 0.31)
        #expect(difference(losses.total, apart, .float32) != nil)

        losses.total.backward()
        for (key, parameter) in method.namedParameters {
            let gradient = try #require(parameter.value.gradient, "\(key)")
            #expect(gradient.abs().max().item > 0, "\(key)")
        }
        #expect(method.embedding(.randn([3, 32]))?.shape == [3, 128])
    }

    @Test func viewsHaveThePapersStrength() throws {
        var settings = SimCLR.Settings()
        settings.jitterStrength = 0.25
        #expect(try SimCLR.views(settings, imageSize: 32).outputs.map(\.shape) == [[32, 32, 3], [32, 32, 3]])
        #expect(try SimCLR.views(settings, imageSize: 96).outputs.map(\.name) == ["view0", "view1"])
    }
}
