import Foundation
import Testing

@testable import Torch

/// A caller's mistake ends the process, by one line that names the operation and the operands, never by a C++ stack trace.
/// Each of these runs in a process of its own.
@Suite struct FailureTests {
    private func message(_ result: ExitTest.Result?) throws -> String {
        let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        for trace in ["frame #", "C++ CapturedTraceback", "terminate called", ".cpp:", "Exception raised from", "libtorch_cpu.so"] {
            // Swift's own report of the trap, where it is switched on, lists this process's libraries further down.
            let first = text.prefix { $0 != "\n" }
            #expect(!first.contains(trace), "\(first)")
        }
        #expect(!text.contains("terminate called") && !text.contains("frame #0: c10"), "\(text)")
        return text
    }

    @Test func shapesThatDoNotFit() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Tensor.zeros([2, 3]).matmul(Tensor.zeros([4, 5], .float32))
        }
        let text = try message(result)
        #expect(text.contains("aten::matmul on float32 [2, 3] on cpu, float32 [4, 5] on cpu: "), "\(text)")
        #expect(text.contains("shapes cannot be multiplied"), "\(text)")
    }

    @Test func shapesInALaterArgument() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Tensor.concatenated([.zeros([2, 3]), .zeros([2, 4])])
        }
        #expect(try message(result).contains("aten::cat on float32 [2, 3] on cpu, float32 [2, 4] on cpu: "))
        let indexed = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Tensor.zeros([2, 3]).indexed([nil, Tensor([7])])
        }
        #expect(try message(indexed).contains("aten::index on float32 [2, 3] on cpu, int64 [1] on cpu: "))
    }

    /// What fused operations cannot do, and what they would read outside of a tensor.
    @Test func fusedOperationsRefuse() async throws {
        let second = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let x = Tensor.randn([8, 16, 8, 8]).contiguous(.channelsLast)
            x.requiresGradient = true
            _ = gradients(of: [BatchNorm(16)(x).squared().sum()], by: [x], createGraph: true)
        }
        #expect(try message(second).contains("has no second derivative: take gradients without createGraph"))
        for side in [2, 16] {
            let residual = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) { [side = side as Int] in
                let (convolution, norm) = (Conv2d(32, 32, kernel: 3, padding: 1, bias: false), BatchNorm(32))
                norm.eval()
                let x = Tensor.randn([8, 32, side, side])
                withoutGradients { _ = x.convolved(by: (convolution, norm), (convolution, norm), adding: .zeros([1, 32, 1, 1])) }
            }
            #expect(try message(residual).contains("[1, 32, 1, 1]"))
        }
    }

    /// The handler is what a command replaces: it sees the failure in parts, and decides how the process ends.
    @Test func handlerIsReplaceable() async throws {
        let result = await #expect(processExitsWith: .exitCode(65), observing: [\.standardErrorContent]) {
            TensorFailureHandler.handle = { failure in
                FileHandle.standardError.write(Data("\(failure.kind)|\(failure.operation)|\(failure.operands)".utf8))
                exit(65)
            }
            _ = Tensor.zeros([2, 3]) + Tensor.zeros([4])
        }
        #expect(try message(result) == #"shape|aten::add|["float32 [2, 3] on cpu", "float32 [4] on cpu"]"#)
    }

    @Test func exhaustedMemoryIsToldApart() async throws {
        let result = await #expect(processExitsWith: .exitCode(66), observing: [\.standardErrorContent]) {
            TensorFailureHandler.handle = { failure in
                FileHandle.standardError.write(Data("\(failure)".utf8))
                exit(failure.kind == .outOfMemory ? 66 : 1)
            }
            _ = Tensor.zeros([1 << 60], .uint8)
        }
        #expect(
            try message(result)
                == "out of memory in aten::zeros: a smaller batch or a smaller network needs less, and a ResNet that is pretrained on the CPU "
                + "with training.recompute=all")
        // Of a result, not of a shape that was asked for.
        await #expect(processExitsWith: .exitCode(66)) {
            TensorFailureHandler.handle = { failure in exit(failure.kind == .outOfMemory ? 66 : 1) }
            _ = Tensor.ones([1]).expanded([1 << 58]) * 2
        }
    }

    @Test func unknownOperator() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Operation("no_such_operator")
        }
        let text = try message(result)
        #expect(text.contains("aten::no_such_operator: ") && text.contains("Could not find schema"), "\(text)")
        let overload = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) { _ = Operation("add", "Nonsense") }
        #expect(try message(overload).contains("aten::add: "))
    }

    /// What an operator does not take is an error too, not undefined behaviour.
    @Test func argumentsOfTheWrongKind() async throws {
        for result in [
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) { Operation("relu")(true) },
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) { Operation("relu")(Tensor.ones([1]), 1, 2) },
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) { Operation("relu")() },
        ] { #expect(try message(result).contains("aten::relu")) }
        let list = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            Operation("chunk")(Tensor.ones([4]), 2, 0)
        }
        #expect(try message(list).contains("aten::chunk on float32 [4] on cpu: its result 0 is not a tensor"))
        let tensor = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Operation("relu").list(Tensor.ones([4]))
        }
        #expect(try message(tensor).contains("aten::relu on float32 [4] on cpu: its result is not a list"))
    }

    @Test func mistakesOutsideOperators() async throws {
        let cases: [(ExitTest.Result?, String)] = [
            (
                await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                    let x = Tensor.ones([2])
                    x.requiresGradient = true
                    (x * 2).backward()
                }, "backward on float32 [2] on cpu: grad can be implicitly created only for scalar outputs"
            ),
            (
                await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) { Tensor.ones([1]).sum().backward() },
                "backward on float32 [] on cpu: "
            ),
            (
                await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) { _ = Tensor.ones([2, 3]).item },
                "item on float32 [2, 3] on cpu: "
            ),
            (
                await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) { _ = Tensor.ones([2]).values(Int.self) },
                "values on float32 [2] on cpu: they were asked for as int64"
            ),
            (
                await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) { _ = Tensor([1, 2, 3], [2, 2]) },
                "24 bytes do not fill int64 [2, 2]"
            ),
            (
                await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) { _ = Tensor.ones([2, 3]).size(2) },
                "size on float32 [2, 3] on cpu: it has no dimension 2"
            ),
            (
                await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                    let x = Tensor.ones([2])
                    x.requiresGradient = true
                    x.gradient = .ones([3])
                }, "set_grad on float32 [2] on cpu: a gradient of shape [3] for a tensor of shape [2]"
            ),
            (
                await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                    let x = Tensor([1, 2])
                    x.requiresGradient = true
                }, "requires_grad_ on int64 [2] on cpu: "
            ),
            (
                await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                    Runtime.setGeneratorState(Tensor([UInt8](repeating: 0, count: 3)))
                }, "set_state on uint8 [3] on cpu: "
            ),
        ]
        for (result, expected) in cases {
            let text = try message(result)
            #expect(text.contains(expected), "\(text.prefix(400))")
        }
    }
}
