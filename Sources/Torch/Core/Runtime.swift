internal import CTorch

/// libtorch's process-wide settings.
public enum Runtime {
    /// Such as `2.13.0`.
    public static var version: String { String(cString: ct_version()) }

    /// Threads that one operation may use.
    public static var threads: Int {
        get { Int(ct_threads()) }
        set { ct_set_threads(Int32(newValue)) }
    }

    /// Chooses kernels whose results do not vary from run to run, and treats denormal numbers as zero (they carry no
    /// information here and cost a hundred times as much).
    public static func prepare() {
        ct_set_deterministic(true)
        ct_set_flush_denormal(true)
        ct_recycle_memory()
    }

    /// Bytes of the CPU's large tensors: in use, kept for others of their size, and the most that was in use at once, which the
    /// first two together never exceed. Zeros before `prepare`.
    public static var largeTensorMemory: (inUse: Int, kept: Int, peak: Int) {
        var (inUse, kept, peak): (Int64, Int64, Int64) = (0, 0, 0)
        ct_recycled_memory(&inUse, &kept, &peak)
        return (Int(inUse), Int(kept), Int(peak))
    }

    /// Seeds every device's generator.
    public static func seed(_ seed: UInt64) { check("manual_seed") { ct_seed(seed) } }

    /// The state of a device's generator, as bytes.
    public static func generatorState(_ device: Device = .cpu) -> Tensor {
        let (type, index) = device.code
        var state: ct_tensor?
        check("get_state") { ct_generator_state(Int32(type), Int32(index), &state) }
        return Tensor(state!)
    }

    public static func setGeneratorState(_ state: Tensor, of device: Device = .cpu) {
        let (type, index) = device.code
        check("set_state", state) { ct_set_generator_state(Int32(type), Int32(index), state.handle) }
    }

    /// Waits until the device has done all it was given.
    public static func synchronize(_ device: Device) {
        let (type, index) = device.code
        check("synchronize") { ct_synchronize(Int32(type), Int32(index)) }
    }
}
