extension Tensor {
    public static func zeros(_ shape: [Int], _ type: DataType = .float32, on device: Device = .cpu) -> Tensor {
        ATen.zeros(shape, type, Int?.none, device)
    }

    public static func ones(_ shape: [Int], _ type: DataType = .float32, on device: Device = .cpu) -> Tensor {
        ATen.ones(shape, type, Int?.none, device)
    }

    public static func full(_ shape: [Int], _ value: Double, _ type: DataType = .float32, on device: Device = .cpu) -> Tensor {
        ATen.full(shape, value, type, Int?.none, device)
    }

    /// 0, 1, …, count − 1.
    public static func arange(_ count: Int, _ type: DataType = .int64, on device: Device = .cpu) -> Tensor {
        ATen.arange(0, count, 1, type, Int?.none, device)
    }

    public static func eye(_ count: Int, _ type: DataType = .float32, on device: Device = .cpu) -> Tensor {
        ATen.eye(count, type, Int?.none, device)
    }

    /// Standard normal values from the device's generator.
    public static func randn(_ shape: [Int], _ type: DataType = .float32, on device: Device = .cpu) -> Tensor {
        ATen.randn(shape, type, Int?.none, device)
    }

    /// Uniform values in [0, 1) from the device's generator.
    public static func rand(_ shape: [Int], _ type: DataType = .float32, on device: Device = .cpu) -> Tensor {
        ATen.rand(shape, type, Int?.none, device)
    }

    /// A number from Beta(a, b), from the CPU's generator.
    public static func randomBeta(_ a: Double, _ b: Double) -> Double { ATen.sampleDirichlet(Tensor([a, b]))[0..<1].item }

    /// A random order of 0 ..< count, from the device's generator.
    public static func randomPermutation(_ count: Int, on device: Device = .cpu) -> Tensor {
        ATen.randperm(count, DataType.int64, Int?.none, device)
    }

    public func zerosLike() -> Tensor { ATen.zerosLike(self) }
    public func onesLike() -> Tensor { ATen.onesLike(self) }
    public func cloned() -> Tensor { ATen.clone(self) }

    /// The same values as another type; self when it has that type already.
    public func to(_ type: DataType) -> Tensor { type == dataType ? self : ATen.toType(self, type) }

    /// The same values on another device; self when it is there already.
    /// - Parameter asynchronous: do not wait for the copy from the CPU to CUDA, which goes by way of pinned memory that libtorch keeps
    ///   until it is done. Other copies are waited for: nobody would keep their source.
    public func to(_ device: Device, asynchronous: Bool = false) -> Tensor {
        if device == self.device { return self }
        guard asynchronous, case .cuda = device, self.device == .cpu else { return ATen.toDevice(self, device, dataType, false) }
        return ATen.toDevice(ATen.pinMemory(self, Int?.none), device, dataType, true)
    }

    /// The same values in row-major (or channels-last) order; self when they are so already.
    public func contiguous(_ format: MemoryFormat = .contiguous) -> Tensor { ATen.contiguous(self, format) }

    /// [n] class indices to [n, classes] zeros and ones.
    public func oneHot(_ classes: Int) -> Tensor { ATen.oneHot(self, classes) }
}
