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

    #if os(Linux)
    /// Pieces that lie apart make a larger one without the system's zeros, at the same peak, and what is in use stays as it is.
    @Test func pagesOfSmallPiecesMakeALargeOne() async {
        await #expect(processExitsWith: .success) {
            Runtime.prepare()
            func memory() -> (inUse: Int, kept: Int, peak: Int) { Runtime.largeTensorMemory }
            func check(_ holds: Bool, _ what: String) { if !holds { fatalError(what) } }
            func full(_ value: Double, _ megabytes: Int) -> Tensor { .full([megabytes * Self.megabyte], value, .float32) }
            func all(_ x: Tensor, _ value: Double) -> Bool { x.min().item == value && x.max().item == value }
            let megabyte = 1 << 20

            for round in 0..<3 {
                // 9 MB begin at any border of 64 kB once they are cut.
                var parts: [Tensor?] = (0..<8).map { full(Double($0 + 1), $0 % 3 == 0 ? 9 : 8) }
                let peak = memory().peak
                for index in [1, 3, 4, 6] { parts[index] = nil }
                let large = ATen.empty([30 * Self.megabyte], DataType.float32, Int?.none, Device.cpu, Bool?.none, Int?.none)
                check(large[0..<1].item > 0, "\(round): pages that the system has zeroed")
                large.fillInPlace(-1)
                check(memory().peak == peak && memory().inUse + memory().kept <= peak, "\(round): \(memory()), \(peak)")
                check(all(large, -1), "its own values")
                for index in [0, 2, 5, 7] { check(all(parts[index]!, Double(index + 1)), "\(round): \(index)") }
                // What is left over serves too.
                let small = full(-2, 3)
                check(all(small, -2) && all(large, -1) && memory().inUse + memory().kept <= peak, "\(round): what is left over")
                parts = []
            }
        }
    }
    #endif

    @Test func valuesAreThoseAskedFor() {
        // What stood in the memory before does not shine through.
        for value in 1...3 {
            let full = Tensor.ones([2 * Self.megabyte]) * Double(value)
            #expect(full.sum().item == Double(value * 2 * Self.megabyte))
            #expect(Tensor.zeros([2 * Self.megabyte]).sum().item == 0)
        }
    }
}
