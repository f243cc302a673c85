internal import CTorch

/// What can be passed to an `Operation`.
public protocol OperationArgument {
    /// Appends itself to the arguments of this thread's next call.
    func push()
}

extension Tensor: OperationArgument {
    public func push() { ct_push_tensor(handle) }
}

extension Bool: OperationArgument {
    public func push() { ct_push_bool(self) }
}

extension Int: OperationArgument {
    public func push() { ct_push_int(Int64(self)) }
}

extension Double: OperationArgument {
    public func push() { ct_push_double(self) }
}

extension String: OperationArgument {
    public func push() { ct_push_string(self) }
}

extension DataType: OperationArgument {
    public func push() { ct_push_int(Int64(rawValue)) }
}

extension Device: OperationArgument {
    public func push() {
        let (type, index) = code
        ct_push_device(Int32(type), self == .cpu ? -1 : Int32(index))
    }
}

extension Optional: OperationArgument where Wrapped: OperationArgument {
    public func push() {
        if let self { self.push() } else { ct_push_none() }
    }
}

extension Array: OperationArgument where Element: ArrayArgument {
    public func push() { Element.push(self) }
}

/// What can be passed as a list.
public protocol ArrayArgument {
    static func push(_ values: [Self])
}

extension Int: ArrayArgument {
    public static func push(_ values: [Int]) {
        let wide = values.map(Int64.init)
        ct_push_ints(wide, wide.count)
    }
}

extension Double: ArrayArgument {
    public static func push(_ values: [Double]) { ct_push_doubles(values, values.count) }
}

extension Tensor: ArrayArgument {
    public static func push(_ values: [Tensor]) {
        let handles: [ct_tensor?] = values.map(\.handle)
        withExtendedLifetime(values) { handles.withUnsafeBufferPointer { ct_push_tensors($0.baseAddress, $0.count) } }
    }
}

extension Optional: ArrayArgument where Wrapped == Tensor {
    public static func push(_ values: [Tensor?]) {
        let handles: [ct_tensor?] = values.map { $0?.handle }
        withExtendedLifetime(values) { handles.withUnsafeBufferPointer { ct_push_optional_tensors($0.baseAddress, $0.count) } }
    }
}

/// `torch.memory_format`. Raw values are `c10::MemoryFormat`'s.
public enum MemoryFormat: Int, OperationArgument, Sendable {
    case contiguous = 0
    case preserve = 1
    case channelsLast = 2

    public func push() { ct_push_int(Int64(rawValue)) }
}
