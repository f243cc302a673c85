import Backbones
import TestSupport
import Testing
import Torch
import Views

@testable import Methods

/// A network of a few thousand weights.
func tinyContext(_ name: String = "resnet18", width: Int = 4, imageSize: Int = 16, classCount: Int = 5) -> MethodContext {
    MethodContext(
        backbone: BackboneSettings(name, width: width, stem: .small), imageSize: imageSize, sampleCount: 100, classCount: classCount)
}

/// The same of a transformer on patches of 4 pixels, 48 wide.
func patchContext(imageSize: Int = 16) -> MethodContext {
    var backbone = BackboneSettings("vit_small", width: 8)
    backbone.depth = 2
    backbone.patchSize = 4
    // 6 heads of 8 channels.
    return MethodContext(backbone: backbone, imageSize: imageSize, sampleCount: 100, classCount: 5)
}

/// Views of noise, which differ.
func noise(_ views: Int, _ count: Int, side: Int = 16, labels: [Int]? = nil) -> Batch {
    Batch(
        views: (0..<views).map { _ in (Tensor.rand([count, 3, side, side]) * 256).to(.uint8) }, indices: Tensor.arange(count),
        labels: Tensor(labels ?? (0..<count).map { $0 % 5 }))
}

/// Values that an output without pixels can have: numbers from 0 to 1, or one of two classes.
func noise(_ output: OutputSpec, _ count: Int) -> Tensor {
    let values = Tensor.rand([count] + output.shape)
    return output.element == .int64 ? (values * 2).to(.int64) : values
}

let firstStep = Step(epoch: 0, index: 0, total: 10)

/// The message of the error that a body throws.
func message(_ body: () throws -> some Any) -> String? {
    do {
        _ = try body()
        return nil
    } catch { return "\(error)" }
}

/// How a loss or its gradients differ from a case of generate_methods_joint.py, or of another section, in float64; nil when they do
/// not. An input without a reference gradient must get none.
func mistake(_ name: String, _ inputs: [String], in section: String = "methods_joint", _ loss: ([Tensor]) -> Tensor) throws -> String? {
    let values = try ReferenceValues.load(section).under(name)
    let leaves = inputs.map { values[$0] }
    for leaf in leaves where leaf.dataType.isFloatingPoint { leaf.requiresGradient = true }
    let value = loss(leaves)
    if let found = difference(value.detached(), values["loss"], .float64) { return "loss: \(found)" }
    value.backward()
    for (input, leaf) in zip(inputs, leaves) {
        guard let expected = values[optional: "gradient.\(input)"] else {
            if leaf.gradient != nil { return "\(input) has a gradient" }
            continue
        }
        guard let gradient = leaf.gradient else { return "\(input) has no gradient" }
        if let found = difference(gradient, expected, .float64) { return "gradient by \(input): \(found)" }
    }
    return nil
}

/// A method's settings for a tiny network, with a teacher where one is needed.
func tinySettings(of entry: MethodEntry) throws -> any MethodSettings {
    func small<Settings: MethodSettings>(_ settings: Settings) throws -> any MethodSettings {
        try with(tiny(settings), ["teacher": TinyTeacher.path()])
    }
    return try small(entry.settings.init())
}

/// A few steps on the same batch bring the loss down, and reach every weight that is learned.
func expectLearning(_ name: String, _ context: MethodContext, _ batch: Batch) throws {
    func small<Settings: MethodSettings>(_ settings: Settings) throws -> any MethodSettings { try tiny(settings) }
    let entry = try MethodRegistry.standard.entry(named: name)
    Runtime.seed(6)
    let method = try entry.make(small(entry.settings.init()), context)
    let optimizer = Adam(method.parameterGroups(weightDecay: 0))
    var losses: [Double] = []
    for index in 0..<40 {
        method.clearGradients()
        let loss = method.loss(batch, Step(epoch: 1, index: index, total: 1000))
        losses.append(loss.total.item)
        loss.total.backward()
        if index == 0 {
            for (key, parameter) in method.namedParameters where parameter.isTrainable {
                #expect(parameter.value.gradient != nil, "\(key)")
            }
        }
        optimizer.step(learningRate: 2e-3)
    }
    let (first, last) = (losses.prefix(5).reduce(0, +) / 5, losses.suffix(5).reduce(0, +) / 5)
    #expect(last < first, "\(name): \(first) to \(last)")
}
