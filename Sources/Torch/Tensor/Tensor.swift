internal import CTorch

/// An n-dimensional array on a device: a handle to libtorch's tensor, freed at its last use.
///
/// Copying the reference does not copy the values; operations return new tensors, except those whose names end in
/// `InPlace`. Not `Sendable`: one isolation owns a model and what it computes.
public final class Tensor {
    let handle: ct_tensor

    init(_ handle: ct_tensor) { self.handle = handle }

    deinit { ct_tensor_release(handle) }

    public var shape: [Int] { (0..<ct_tensor_dimensions(handle)).map { Int(ct_tensor_size(handle, $0)) } }

    /// The number of dimensions.
    public var rank: Int { ct_tensor_dimensions(handle) }

    /// The number of elements.
    public var count: Int { Int(ct_tensor_element_count(handle)) }

    /// The size of a dimension; negative ones count from the last.
    public func size(_ dimension: Int) -> Int {
        let rank = rank
        let resolved = dimension < 0 ? dimension + rank : dimension
        require(resolved >= 0 && resolved < rank, "size", self, reason: "it has no dimension \(dimension)")
        return Int(ct_tensor_size(handle, resolved))
    }

    public var dataType: DataType {
        let code = Int(ct_tensor_type(handle))
        guard let type = DataType(rawValue: code) else { fatalError("element type \(code) of libtorch has no name here") }
        return type
    }

    public var device: Device {
        var type: Int32 = 0
        var index: Int32 = 0
        ct_tensor_device(handle, &type, &index)
        return Device(type: Int(type), index: Int(index))
    }

    public var isContiguous: Bool { ct_tensor_is_contiguous(handle) }
    public var isChannelsLast: Bool { ct_tensor_is_channels_last(handle) }

    /// Where the first element lies: the same for two tensors that share their storage from its start.
    public var address: Int { Int(bitPattern: ct_tensor_address(handle)) }

    /// One line for messages: `float32 [2, 3] on cpu`.
    public var summary: String { "\(dataType) \(shape) on \(device)" }
}

// MARK: - Values in and out

extension Tensor {
    /// A copy of `values` in row-major order.
    /// - Precondition: the product of `shape` is the number of values.
    public convenience init<Element: TensorElement>(_ values: [Element], _ shape: [Int]) {
        self.init(values.withUnsafeBytes { Tensor.handle(copying: $0, shape, Element.dataType) })
    }

    /// A vector.
    public convenience init<Element: TensorElement>(_ values: [Element]) { self.init(values, [values.count]) }

    /// A scalar.
    public convenience init<Element: TensorElement>(scalar: Element) { self.init([scalar], []) }

    /// A copy of raw row-major bytes.
    /// - Precondition: the bytes fill `shape` exactly.
    public convenience init(copying bytes: UnsafeRawBufferPointer, _ shape: [Int], _ type: DataType) {
        self.init(Tensor.handle(copying: bytes, shape, type))
    }

    private static func handle(copying bytes: UnsafeRawBufferPointer, _ shape: [Int], _ type: DataType) -> ct_tensor {
        require(bytes.count == shape.reduce(type.size, &*), "from_blob", reason: "\(bytes.count) bytes do not fill \(type) \(shape)")
        let sizes = shape.map(Int64.init)
        var made: ct_tensor?
        check("from_blob") { ct_tensor_from_bytes(bytes.baseAddress, sizes, sizes.count, Int32(type.rawValue), &made) }
        return made!
    }

    /// The values in row-major order, brought to the CPU; waits for the device.
    /// - Precondition: `Element` is the tensor's element type.
    public func values<Element: TensorElement>(_ type: Element.Type = Element.self) -> [Element] {
        require(dataType == Element.dataType, "values", self, reason: "they were asked for as \(Element.dataType)")
        return [Element](unsafeUninitializedCapacity: count) { buffer, filled in
            let bytes = UnsafeMutableRawBufferPointer(buffer)
            check("copy", self) { ct_tensor_copy_bytes(handle, bytes.baseAddress, count * Element.dataType.size) }
            filled = count
        }
    }

    /// Converted to `Float`, in row-major order.
    public var floats: [Float] { to(.float32).values() }

    /// Converted to `Double`, in row-major order.
    public var doubles: [Double] { to(.float64).values() }

    /// Converted to `Int`, in row-major order.
    public var ints: [Int] { to(.int64).values() }

    /// The bytes in row-major order, brought to the CPU.
    public var bytes: [UInt8] {
        let total = count * dataType.size
        return [UInt8](unsafeUninitializedCapacity: total) { buffer, filled in
            check("copy", self) { ct_tensor_copy_bytes(handle, buffer.baseAddress, total) }
            filled = total
        }
    }

    /// The one element as a number; waits for the device.
    public var item: Double {
        var value = 0.0
        check("item", self) { ct_tensor_item(handle, &value) }
        return value
    }
}
