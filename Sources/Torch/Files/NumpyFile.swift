public import Files

/// NumPy's `.npy` format, version 1.0 (numpy.lib.format), written only.
public enum NumpyFile {
    /// - Precondition: the element type is one that NumPy has (not bfloat16).
    public static func write(_ tensor: Tensor, to path: String) throws(FileError) {
        let shape = tensor.shape.map(String.init).joined(separator: ", ") + (tensor.rank == 1 ? "," : "")
        var header = "{'descr': '\(descriptor(tensor.dataType))', 'fortran_order': False, 'shape': (\(shape)), }"
        // The magic, version and length take 10 bytes; the data start at a multiple of 64.
        let unpadded = 10 + header.utf8.count + 1
        header += String(repeating: " ", count: (64 - unpadded % 64) % 64) + "\n"
        let length = header.utf8.count
        let preamble: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 0xff), UInt8(length >> 8)]
        try AtomicFile.write(preamble + Array(header.utf8) + tensor.bytes, to: path)
    }

    private static func descriptor(_ type: DataType) -> String {
        switch type {
        case .uint8: "|u1"
        case .int8: "|i1"
        case .bool: "|b1"
        case .int16: "<i2"
        case .int32: "<i4"
        case .int64: "<i8"
        case .float16: "<f2"
        case .float32: "<f4"
        case .float64: "<f8"
        case .bfloat16: fatalError("NumPy has no bfloat16: convert to float32 first")
        }
    }
}
