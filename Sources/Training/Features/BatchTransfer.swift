internal import Methods
internal import Torch
internal import Views

extension Batch {
    /// A loader's bytes as tensors on a device: image outputs as [n, 3, h, w] uint8 in channels-last order, which is how the
    /// bytes lie; others as targets under their names.
    init(_ pixels: PixelBatch, on device: Device) {
        var views: [Tensor] = []
        var targets: [String: Tensor] = [:]
        for (index, output) in pixels.outputs.enumerated() {
            let bytes = UnsafeRawBufferPointer(pixels.bytes(index))
            let shape = [pixels.count] + output.shape
            switch output.element {
            case .uint8 where output.imageSize != nil:
                views.append(Tensor(copying: bytes, shape, .uint8).permuted(0, 3, 1, 2).to(device, asynchronous: true))
            case .uint8: targets[output.name] = Tensor(copying: bytes, shape, .uint8).to(device, asynchronous: true)
            case .float32: targets[output.name] = Tensor(copying: bytes, shape, .float32).to(device, asynchronous: true)
            case .int64: targets[output.name] = Tensor(copying: bytes, shape, .int64).to(device, asynchronous: true)
            }
        }
        self.init(
            views: views, targets: targets, indices: Tensor(pixels.indices).to(device, asynchronous: true),
            labels: Tensor(pixels.labels).to(device, asynchronous: true))
    }
}
