/// Memory that grows and never shrinks, aligned for vector loads, with room to run over by one vector at its end.
final class AlignedBuffer {
    private(set) var base: UnsafeMutablePointer<UInt8>
    private(set) var capacity: Int

    init(_ capacity: Int = 0) {
        self.capacity = capacity
        base = Self.allocate(capacity)
    }

    deinit { base.deallocate() }

    /// At least `bytes` bytes. What was there may be lost.
    func reserve(_ bytes: Int) -> UnsafeMutablePointer<UInt8> {
        if bytes > capacity {
            base.deallocate()
            base = Self.allocate(bytes)
            capacity = bytes
        }
        return base
    }

    private static func allocate(_ bytes: Int) -> UnsafeMutablePointer<UInt8> {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes + 64, alignment: 64)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: bytes + 64)
        return memory.assumingMemoryBound(to: UInt8.self)
    }
}
