/// A weight that an optimiser changes: a leaf of the graph. Its tensor stays the same object's storage for the
/// module's life; loading and stepping write into it.
public final class Parameter {
    public private(set) var value: Tensor

    public init(_ value: Tensor) {
        self.value = value.detached()
        self.value.requiresGradient = true
    }

    /// A frozen parameter has no gradient and is left alone by optimisers.
    public var isTrainable: Bool {
        get { value.requiresGradient }
        set { value.requiresGradient = newValue }
    }

    func move(to device: Device) { replace(value.detached().to(device)) }
    func convert(to type: DataType) { replace(value.detached().to(type)) }

    private func replace(_ new: Tensor) {
        let trainable = isTrainable
        value = new
        value.requiresGradient = trainable
    }
}

/// State that is saved with the weights but not learned by gradient: batch-norm statistics, queues, banks, centres.
public final class Buffer {
    public private(set) var value: Tensor

    public init(_ value: Tensor) { self.value = value.detached() }

    /// Writes `new` into the buffer's storage.
    public func set(_ new: Tensor) {
        withoutGradients { value.copyInPlace(new) }
    }

    func move(to device: Device) { value = value.to(device) }
    func convert(to type: DataType) { if value.dataType.isFloatingPoint { value = value.to(type) } }
}
