import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Torch

@Suite struct RuntimeTests {
    @Test func versionIsAtLeastTheSupportedOne() {
        let parts = Runtime.version.split(separator: ".").compactMap { Int($0) }
        #expect(parts.count >= 2 && (parts[0], parts[1]) >= (2, 11))
    }

    @Test func generatorsReproduce() {
        Runtime.seed(42)
        let first = Tensor.randn([100])
        let state = Runtime.generatorState()
        let second = Tensor.randn([100])
        let dropped = Tensor.ones([100]).dropout(0.5, training: true)
        let order = Tensor.randomPermutation(100)
        Runtime.setGeneratorState(state)
        expectSame(Tensor.randn([100]), second)
        expectSame(Tensor.ones([100]).dropout(0.5, training: true), dropped)
        expectSame(Tensor.randomPermutation(100), order)
        Runtime.seed(42)
        expectSame(Tensor.randn([100]), first)
        Runtime.seed(43)
        #expect(Tensor.randn([100]).floats != first.floats)
    }

    @Test func threadsCanBeSet() {
        let before = Runtime.threads
        Runtime.threads = 1
        #expect(Runtime.threads == 1)
        Runtime.threads = before
    }

    @Test func devicesHaveNames() {
        #expect(Device("cpu") == .cpu && Device("CUDA") == .cuda(0) && Device("cuda:3") == .cuda(3) && Device("mps") == .mps)
        for name in ["", "gpu", "cuda:", "cuda:x", "cuda:-1", "cpu:0", "cuda:1:2"] { #expect(Device(name) == nil, "\(name)") }
        #expect(Device.cuda(2).description == "cuda:2" && Device.cpu.isAvailable && !Device.cuda(99).isAvailable)
        #expect(Device.available.last == .cpu)
        Runtime.synchronize(.cpu)
    }

    #if os(Linux)
    private func residentBytes() throws -> Int {
        let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
        return try #require(Int(fields[1])) * 4096
    }

    /// Tensors, graphs and results that nothing refers to any more are freed at once.
    @Test func droppedTensorsAreFreed() throws {
        func churn(_ count: Int) {
            let weight = Tensor.ones([256, 256])
            weight.requiresGradient = true
            for _ in 0..<count {
                let tensor = Tensor.zeros([256, 256])
                let output = (tensor + weight).relu()
                _ = output.sum()
                _ = output.chunks(4)
                _ = output.top(2)
                if output.count == 0 { output.sum().backward() }
            }
            for _ in 0..<count / 10 {
                (weight * 2).sum().backward()
                weight.gradient = nil
            }
        }
        churn(300)
        let before = try residentBytes()
        churn(10_000)
        let grown = try residentBytes() - before
        // 10,000 leaked tensors of 256 kB would be 2.6 GB.
        #expect(grown < 32 << 20, "\(grown >> 20) MB more")
    }
    #endif

    /// Each thread has its own tensors; arguments and results on their way through the shim must not mix, nor modes leak.
    @Test func threadsDoNotDisturbEachOther() {
        @Sendable func work(_ seed: Int) -> [Double] {
            let x = (Tensor.arange(24 * 16, .float64) * (0.01 * Double(seed + 1))).sin().reshaped(24, 16)
            let weight = (Tensor.arange(16 * 16, .float64) * 0.03).cos().reshaped(16, 16)
            weight.requiresGradient = true
            var result: [Double] = []
            for round in 0..<40 {
                let output = x.linear(weight).normalized().matmul(x.narrowed(0, from: round % 8, count: 16).t)
                let loss = output.crossEntropy(Tensor([Int](repeating: (seed + round) % 16, count: 24)), labelSmoothing: 0.1)
                if round % 3 == seed % 3 {
                    withoutGradients { result.append((x * 2).matmul(weight).top(3).values.sum().item) }
                } else {
                    result += gradients(of: [loss], by: [weight])[0]!.norm(0).doubles
                    result.append(loss.item)
                }
                result += Tensor.concatenated(x.chunks(3)).sum(0).doubles
            }
            return result
        }
        let expected = (0..<8).map { work($0) }
        for _ in 0..<3 {
            let found = Mutex([Int: [Double]]())
            DispatchQueue.concurrentPerform(iterations: 8) { index in
                let values = work(index)
                found.withLock { $0[index] = values }
            }
            for index in 0..<8 {
                let values = found.withLock { $0[index] ?? [] }
                #expect(values.count == expected[index].count)
                #expect(zip(values, expected[index]).allSatisfy { abs($0 - $1) <= 1e-9 * (1 + abs($1)) }, "thread \(index)")
            }
        }
    }
}
