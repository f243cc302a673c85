import Foundation
import Testing

@testable import Views

@Suite("Packed datasets") struct DatasetsPackedTests {
    /// A pixel value that depends on everything, so that no two places can be confused.
    private func level(_ picture: Int, _ channel: Int, _ y: Int, _ x: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: picture * 101 + channel * 59 + y * 7 + x * 3)
    }

    private func planes(_ picture: Int, side: Int, columnMajor: Bool = false) -> [UInt8] {
        var bytes: [UInt8] = []
        for channel in 0..<3 {
            for i in 0..<side {
                for j in 0..<side { bytes.append(columnMajor ? level(picture, channel, j, i) : level(picture, channel, i, j)) }
            }
        }
        return bytes
    }

    private func expectPicture(_ picture: Int, _ image: PixelImage, side: Int, channels: Int = 3) {
        #expect(image.width == side && image.height == side)
        var wrong = 0
        for y in 0..<side {
            for x in 0..<side {
                for c in 0..<3 where image.pixels[(y * side + x) * 3 + c] != level(picture, min(c, channels - 1), y, x) { wrong += 1 }
            }
        }
        #expect(wrong == 0)
    }

    // MARK: CIFAR

    private func cifar10() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        // Batches of three, three, … pictures with labels 0, 1, 2, …
        for batch in 0..<5 {
            var records: [UInt8] = []
            for picture in batch * 3..<batch * 3 + 3 { records += [UInt8(picture % 10)] + planes(picture, side: 32) }
            try folder.write(records, to: "data_batch_\(batch + 1).bin")
        }
        try folder.write([7] + planes(77, side: 32), to: "test_batch.bin")
        try folder.write(Array("airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n".utf8), to: "batches.meta.txt")
        return folder
    }

    @Test func cifar10Parts() throws {
        let folder = try cifar10()
        let splits = try DatasetSplits.open(folder.path)
        #expect(splits.format == .cifar10 && splits.unlabelled == nil)
        #expect(splits.train.count == 15 && splits.train.classNames[2] == "bird")
        for i in [0, 2, 3, 8, 14] {
            #expect(splits.train.label(at: i) == i % 10)
            expectPicture(i, try splits.train.image(at: i, coveringAtLeast: 8), side: 32)
        }
        #expect(splits.train.name(at: 12) == "train/000012")
        let test = try #require(splits.test)
        #expect(test.count == 1 && test.label(at: 0) == 7 && test.name(at: 0) == "test/000000")
        expectPicture(77, try test.image(at: 0, coveringAtLeast: nil), side: 32)
        #expect(try DatasetSplits.open(folder.path, options: DatasetOptions(limit: 4)).train.count == 4)
    }

    @Test func cifar10InItsUsualFolder() throws {
        let folder = try TemporaryFolder()
        try folder.write([1] + planes(5, side: 32), to: "cifar-10-batches-bin/data_batch_3.bin")
        let splits = try DatasetSplits.open(folder.path)
        #expect(splits.format == .cifar10 && splits.train.count == 1 && splits.test == nil)
        #expect(splits.train.classNames == (0..<10).map(String.init))
    }

    @Test func cifar100TakesFineLabels() throws {
        let folder = try TemporaryFolder()
        try folder.write([3, 99] + planes(1, side: 32) + [4, 12] + planes(2, side: 32), to: "train.bin")
        try folder.write([5, 42] + planes(3, side: 32), to: "test.bin")
        let splits = try DatasetSplits.open(folder.path)
        #expect(splits.format == .cifar100 && splits.train.classNames.count == 100)
        #expect((splits.train.label(at: 0), splits.train.label(at: 1)) == (99, 12))
        #expect(splits.test?.label(at: 0) == 42)
        expectPicture(2, try splits.train.image(at: 1, coveringAtLeast: nil), side: 32)
    }

    @Test func cifarErrors() throws {
        let folder = try cifar10()
        try folder.write([0] + planes(0, side: 32).dropLast(), to: "data_batch_2.bin")
        let short = #expect(throws: DatasetError.self) { try DatasetSplits.open(folder.path) }
        #expect(
            short?.description
                == "\(folder.path)/data_batch_2.bin has 3072 bytes instead of a multiple of 3073: download or unpack it again")
        try folder.write([10] + planes(0, side: 32), to: "data_batch_2.bin")
        #expect(throws: DatasetError.broken(file: "\(folder.path)/data_batch_2.bin", reason: "label 10 of picture 0 is beyond 10 classes"))
        {
            try DatasetSplits.open(folder.path)
        }
        let python = try TemporaryFolder()
        try python.write([1], to: "data_batch_1")
        let error = #expect(throws: DatasetError.self) { try DatasetSplits.open(python.path) }
        #expect(error?.description.contains("download the binary version") == true)
    }

    // MARK: STL-10

    @Test func stl10Parts() throws {
        let folder = try TemporaryFolder()
        try folder.write(planes(1, side: 96, columnMajor: true) + planes(2, side: 96, columnMajor: true), to: "train_X.bin")
        try folder.write([1, 10], to: "train_y.bin")
        try folder.write(planes(3, side: 96, columnMajor: true), to: "unlabeled_X.bin")
        let splits = try DatasetSplits.open(folder.path)
        #expect(splits.format == .stl10 && splits.test == nil)
        #expect((splits.train.label(at: 0), splits.train.label(at: 1)) == (0, 9))
        expectPicture(2, try splits.train.image(at: 1, coveringAtLeast: nil), side: 96)
        let unlabelled = try #require(splits.unlabelled)
        #expect(unlabelled.count == 1 && unlabelled.label(at: 0) == nil && unlabelled.name(at: 0) == "unlabelled/000000")
        expectPicture(3, try unlabelled.image(at: 0, coveringAtLeast: nil), side: 96)

        try folder.write([1], to: "train_y.bin")
        #expect(
            throws: DatasetError.wrongSize(file: "\(folder.path)/train_y.bin", bytes: 1, expected: "2, one for each picture of train_X.bin")
        ) {
            try DatasetSplits.open(folder.path)
        }
        try folder.write([0, 1], to: "train_y.bin")
        #expect(throws: DatasetError.broken(file: "\(folder.path)/train_y.bin", reason: "label 0 of picture 0 is not in 1 … 10")) {
            try DatasetSplits.open(folder.path)
        }
    }

    // MARK: IDX

    private func idx(_ sides: [Int], _ data: [UInt8]) -> [UInt8] {
        [0, 0, 8, UInt8(sides.count)] + sides.flatMap { [0, 0, UInt8($0 >> 8), UInt8($0 & 255)] } + data
    }

    private func images(_ pictures: [Int], side: Int = 5) -> [UInt8] {
        idx([pictures.count, side, side], pictures.flatMap { planes($0, side: side).prefix(side * side) })
    }

    /// gzip with stored (uncompressed) blocks, written by hand so that the reader is not tested against itself.
    private func gzip(_ bytes: [UInt8]) -> [UInt8] {
        var crc: UInt32 = ~0
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1 == 1 ? 0xEDB8_8320 : 0) }
        }
        func little(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        let count = UInt16(bytes.count)
        let lengths = [UInt8(count & 255), UInt8(count >> 8), UInt8(~count & 255), UInt8(~count >> 8)]
        return [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 1] + lengths + bytes + little(~crc) + little(UInt32(count))
    }

    @Test(arguments: [false, true]) func idxParts(packed: Bool) throws {
        let folder = try TemporaryFolder()
        let ending = packed ? ".gz" : ""
        func write(_ bytes: [UInt8]) -> [UInt8] { packed ? gzip(bytes) : bytes }
        try folder.write(write(images([1, 2, 3])), to: "MNIST/raw/train-images-idx3-ubyte\(ending)")
        try folder.write(write(idx([3], [4, 0, 9])), to: "MNIST/raw/train-labels-idx1-ubyte\(ending)")
        try folder.write(write(images([8])), to: "MNIST/raw/t10k-images-idx3-ubyte\(ending)")
        try folder.write(write(idx([1], [2])), to: "MNIST/raw/t10k-labels-idx1-ubyte\(ending)")
        let splits = try DatasetSplits.open(folder.path)
        #expect(splits.format == .idx && splits.train.count == 3 && splits.train.classNames == (0..<10).map(String.init))
        #expect((0..<3).map { splits.train.label(at: $0) } == [4, 0, 9])
        expectPicture(3, try splits.train.image(at: 2, coveringAtLeast: nil), side: 5, channels: 1)
        let test = try #require(splits.test)
        #expect(test.label(at: 0) == 2 && test.classNames.count == 10)
        expectPicture(8, try test.image(at: 0, coveringAtLeast: nil), side: 5, channels: 1)
    }

    @Test func idxWithoutLabelsOrWithDots() throws {
        let folder = try TemporaryFolder()
        try folder.write(images([1]), to: "train-images.idx3-ubyte")
        let dataset = try DatasetOpener.open(folder.path)
        #expect(dataset.count == 1 && dataset.label(at: 0) == nil && dataset.classNames.isEmpty)
    }

    @Test func idxErrors() throws {
        let folder = try TemporaryFolder()
        let name = "train-images-idx3-ubyte"
        func message(_ bytes: [UInt8], _ file: String) throws -> String? {
            try? FileManager.default.removeItem(atPath: "\(folder.path)/\(name)")
            try? FileManager.default.removeItem(atPath: "\(folder.path)/\(name).gz")
            let path = try folder.write(bytes, to: file)
            let error = #expect(throws: DatasetError.self) { try DatasetSplits.open(folder.path) }
            return error?.description.replacing(path, with: "F")
        }
        let whole = images([1, 2])
        #expect(try message(whole.dropLast(), name) == "F has 65 bytes instead of 66, which its header tells: download or unpack it again")
        #expect(try message(whole + [0], name) == "F has 67 bytes instead of 66, which its header tells: download or unpack it again")
        #expect(try message([0, 0, 8], name) == "F has 3 bytes instead of at least 16: download or unpack it again")
        #expect(try message([], name) == "F has 0 bytes instead of at least 16: download or unpack it again")
        #expect(try message([0, 0, 13, 3] + whole.dropFirst(4), name) == "F is broken: not an IDX file of bytes with 3 dimensions")
        #expect(try message([0, 0, 8, 3] + [UInt8](repeating: 255, count: 62), name) == "F is broken: impossible sides in the header")

        #expect(try message(gzip(whole).dropLast(30), name + ".gz") == "F is broken: premature end of file")
        #expect(try message(gzip(whole + [1]), name + ".gz")?.hasPrefix("F has 67 bytes instead of 66 (unpacked)") == true)
        var corrupt = gzip(whole)
        corrupt[60] ^= 1
        #expect(try message(corrupt, name + ".gz") == "F is broken: incorrect data check")
        // A header that promises a terabyte behind a few bytes.
        let greedy = gzip([0, 0, 8, 3, 0, 0, 255, 255, 0, 0, 16, 0, 0, 0, 16, 0])
        #expect(try message(greedy, name + ".gz")?.contains("instead of enough for") == true)

        try? FileManager.default.removeItem(atPath: "\(folder.path)/\(name).gz")
        try folder.write(images([1]), to: "emnist-letters-\(name)")
        try folder.write(images([1]), to: "emnist-digits-\(name)")
        let several = #expect(throws: DatasetError.self) { try DatasetSplits.open(folder.path) }
        #expect(several?.description.hasSuffix("put each set into a folder of its own") == true)
    }
}
