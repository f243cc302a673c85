import Foundation
import Fovea
import Testing
import TestSupport

/// Embeddings: rows, names, and the files they are written to, read back by readers of this test's own.
@Suite struct EmbedTests {
    private func withEmbeddings(_ body: (_ found: ImageEmbeddings, _ encoder: Encoder, _ folder: String) throws -> Void) throws {
        try withTemporaryFolder { folder in
            try writeImages(10, to: "\(folder)/images")
            try AtomicFile.write("torn", to: "\(folder)/images/cross/a, \"torn\".png")
            Runtime.seed(1)
            let encoder = try Encoder(BackboneSettings("resnet18", width: 4, stem: .small), imageSize: 16)
            encoder.train()
            try body(try encoder.embed("\(folder)/images", batchSize: 4), encoder, folder)
        }
    }

    @Test func rowsAndNames() throws {
        try withEmbeddings { found, encoder, folder in
            let dataset = try FolderDataset("\(folder)/images")
            #expect(found.names == (0..<11).map { dataset.name(at: $0) }.filter { !$0.contains("torn") } && found.names.count == 10)
            #expect(found.labels == found.names.map { String($0.prefix { $0 != "/" }) })
            #expect(found.matrix.shape == [10, encoder.outputWidth] && found.matrix.dataType == .float32)
            #expect(found.unreadable.map(\.name) == ["cross/a, \"torn\".png"])
            // It was in training mode, is again, and its statistics did not move.
            #expect(encoder.isTraining)
            expectSame(try encoder.embed("\(folder)/images", batchSize: 4, loaderThreads: 0).matrix, found.matrix)
            // A row is its image's alone, whatever else is in the batch.
            for row in [0, 7] {
                let image = try dataset.image(at: (0..<11).first { dataset.name(at: $0) == found.names[row] }!, coveringAtLeast: nil)
                let pixels = Tensor(image.pixels.map(Float.init), [1, 16, 16, 3]).permuted(0, 3, 1, 2)
                let own = inference { encoder.evaluating { encoder(pixels) } }
                expectClose(own.flattened(), found.matrix.rows(Tensor([row])).flattened(), Tolerance(relative: 1e-4, absolute: 1e-5))
            }
        }
    }

    /// By its path a divided folder is embedded whole, as the command does it, with the classes below the parts.
    @Test func dividedFolder() throws {
        try withTemporaryFolder { folder in
            try writeImages(8, to: "\(folder)/train")
            try writeImages(3, to: "\(folder)/test")
            try AtomicFile.write(contents(of: "\(folder)/train/circle/00000.png"), to: "\(folder)/test/loose.png")
            try AtomicFile.write(contents(of: "\(folder)/train/circle/00000.png"), to: "\(folder)/test/only here/0.png")
            let encoder = try Encoder(BackboneSettings("resnet18", width: 4, stem: .small), imageSize: 16)
            let found = try encoder.embed(folder)
            #expect(found.names.count == 13 && Set(found.names.map { $0.prefix { $0 != "/" } }) == ["train", "test"])
            #expect(
                found.labels
                    == found.names.map { name in
                        let path = name.split(separator: "/")
                        return path.count == 3 ? String(path[1]) : ""
                    })
        }
    }

    /// All parts of a packed set one after the other: IDX files of 3 and 2 images.
    @Test func packedSet() throws {
        try withTemporaryFolder { folder in
            for (part, labels) in [("train", [7, 0, 2]), ("t10k", [2, 7])] as [(String, [UInt8])] {
                let count = UInt8(labels.count)
                let pixels = (0..<labels.count * 64).map { UInt8(truncatingIfNeeded: $0 * 37) }
                try AtomicFile.write(
                    [0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 8, 0, 0, 0, 8] + pixels, to: "\(folder)/\(part)-images-idx3-ubyte")
                try AtomicFile.write([0, 0, 8, 1, 0, 0, 0, count] + labels, to: "\(folder)/\(part)-labels-idx1-ubyte")
            }
            let encoder = try Encoder(BackboneSettings("resnet18", width: 4, stem: .small), imageSize: 16)
            let found = try encoder.embed(folder)
            #expect(found.labels == ["7", "0", "2", "2", "7"])
            let splits = try DatasetSplits.open(folder)
            let parts = [try #require(splits.test), splits.train].reversed()
            #expect(found.names == parts.flatMap { part in (0..<part.count).map { part.name(at: $0) } })
            expectClose(
                found.matrix, .concatenated(try parts.map { try encoder.embed($0).matrix }), Tolerance(relative: 1e-4, absolute: 1e-5))
        }
    }

    @Test func endsEarly() throws {
        try withEmbeddings { _, encoder, folder in
            var told: [Int] = []
            let found = try encoder.embed(FolderDataset("\(folder)/images"), batchSize: 4) { count in
                told.append(count)
                return count < 6
            }
            #expect(told.count == 2 && found.names.count == told.last)
        }
    }

    @Test func safetensors() throws {
        try withEmbeddings { found, _, folder in
            try found.write(to: "\(folder)/a.safetensors")
            let content = try Safetensors.read("\(folder)/a.safetensors")
            expectSame(content.tensors["embeddings"]!, found.matrix)
            func list(_ key: String) throws -> [String] {
                try JSONDecoder().decode([String].self, from: Data((content.metadata[key] ?? "").utf8))
            }
            #expect(try list("names") == found.names && list("labels") == found.labels)
        }
    }

    /// By numpy.lib.format: magic, version, header length, a dictionary, and the rows.
    @Test func npy() throws {
        try withEmbeddings { found, _, folder in
            try found.write(to: "\(folder)/a.NPY")
            let bytes = try contents(of: "\(folder)/a.NPY")
            #expect(Array(bytes[..<8]) == [0x93] + Array("NUMPY".utf8) + [1, 0])
            let length = Int(bytes[8]) | Int(bytes[9]) << 8
            #expect((10 + length).isMultiple(of: 64) && bytes[9 + length] == 0x0a)
            let header = String(decoding: bytes[10..<10 + length], as: UTF8.self)
            for field in ["'descr': '<f4'", "'fortran_order': False", "'shape': (10, \(found.matrix.size(1)))"] {
                #expect(header.contains(field))
            }
            #expect(Array(bytes[(10 + length)...]) == found.matrix.bytes)
            let names = try CSV.parse(String(contentsOfFile: "\(folder)/a.names.csv", encoding: .utf8))
            #expect(names == [["name", "label"]] + zip(found.names, found.labels).map { [$0, $1] })
        }
    }

    @Test func csv() throws {
        try withEmbeddings { found, _, folder in
            try found.write(to: "\(folder)/a.csv")
            let rows = try CSV.parse(String(contentsOfFile: "\(folder)/a.csv", encoding: .utf8))
            let width = found.matrix.size(1)
            #expect(rows[0] == ["name", "label"] + (0..<width).map { "f\($0)" } && rows.count == 11)
            #expect(rows.dropFirst().map { $0[0] } == found.names)
            // Exactly, not only nearly.
            #expect(rows.dropFirst().flatMap { $0.dropFirst(2).map { Float($0)! } } == found.matrix.floats)
        }
    }

    @Test func otherEndings() throws {
        try withEmbeddings { found, _, folder in
            for name in ["a.bin", "a", "a.csv.gz"] {
                let error = #expect(throws: FileError.self) { try found.write(to: "\(folder)/\(name)") }
                #expect(error?.description.contains(".safetensors, .npy, .csv") == true)
            }
        }
    }
}
