import Foundation
import TestSupport
import Testing
import Torch

@Suite struct NumpyFileTests {
    static let names = ["float32", "float64", "float16", "int64", "int32", "int16", "int8", "uint8", "bool", "empty"]

    /// The bytes that `numpy.save` writes for the same array.
    @Test(arguments: names) func writesWhatNumPyWrites(_ name: String) throws {
        let values = try ReferenceValues.load("numpy_files").under(name)
        try withTemporaryFolder { folder in
            try NumpyFile.write(values["values"], to: "\(folder)/x.npy")
            let (own, numpy) = (try contents(of: "\(folder)/x.npy"), values["bytes"].values(UInt8.self))
            #expect(own == numpy, "\(String(decoding: own.prefix(128).dropFirst(10), as: UTF8.self))")
        }
    }

    @Test func layoutIsRowMajorWhateverTheTensors() throws {
        let values = try ReferenceValues.load("numpy_files").under("float32")
        try withTemporaryFolder { folder in
            try NumpyFile.write(values["values"].t.contiguous().t, to: "\(folder)/x.npy")
            #expect(try contents(of: "\(folder)/x.npy") == values["bytes"].values(UInt8.self))
        }
    }
}
