import Testing

@testable import Torch

/// In a process of its own, where nothing else allocates.
@Suite struct LargeTensorMemoryTests {
    private static let megabyte = 1 << 18  // float32 values

    @Test func memoryIsUsedAgainAndNeverAddsToThePeak() async {
        await #expect(processExitsWith: .success) {
            Runtime.prepare()
            func memory() -> (inUse: Int, kept: Int, peak: Int) { Runtime.largeTensorMemory }
            func check(_ holds: Bool, _ what: String) { if !holds { fatalError(what) } }
            let megabyte = 1 << 20

            var a: Tensor? = .zeros([8 * Self.megabyte])
            var b: Tensor? = .zeros([4 * Self.megabyte])
            check(memory() == (12 * megabyte, 0, 12 * megabyte), "\(memory())")
            let address = a!.address
            a = nil
            check(memory() == (4 * megabyte, 8 * megabyte, 12 * megabyte), "kept: \(memory())")
            a = .zeros([8 * Self.megabyte])
            check(a!.address == address, "the same memory serves again")
            check(memory() == (12 * megabyte, 0, 12 * megabyte), "\(memory())")
            // Another size in its place: it is cut from what was kept, so that the peak stays.
            a = nil
            var c: Tensor? = .zeros([6 * Self.megabyte])
            check(c!.address == address, "cut from the larger piece")
            check(memory() == (10 * megabyte, 2 * megabyte, 12 * megabyte), "cut: \(memory())")
            // What was cut apart is joined again where its size is wanted.
            c = nil
            check(memory() == (4 * megabyte, 8 * megabyte, 12 * megabyte), "\(memory())")
            a = .zeros([8 * Self.megabyte])
            check(a!.address == address && memory() == (12 * megabyte, 0, 12 * megabyte), "joined: \(memory())")
            // Where no piece is large enough, what was kept goes back.
            (a, b) = (nil, nil)
            c = .zeros([1 * Self.megabyte])
            a = .zeros([11 * Self.megabyte + Self.megabyte / 2])
            check(memory().inUse + memory().kept <= memory().peak, "given back: \(memory())")
            a = nil
            // A thousand sizes leave no more behind than the peak.
            for size in 1..<1000 { _ = Tensor.zeros([Self.megabyte + 20_000 * (size % 97)]) }
            check(memory().inUse + memory().kept <= memory().peak && memory().peak <= 15 * megabyte, "\(memory())")
            _ = c
        }
    }

    @Test func valuesAreThoseAskedFor() {
        // What stood in the memory before does not shine through.
        for value in 1...3 {
            let full = Tensor.ones([2 * Self.megabyte]) * Double(value)
            #expect(full.sum().item == Double(value * 2 * Self.megabyte))
            #expect(Tensor.zeros([2 * Self.megabyte]).sum().item == 0)
        }
    }
}
