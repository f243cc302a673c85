import Foundation
import Testing

@testable import Views

@Suite("Folder datasets") struct DatasetsFolderTests {
    /// A picture of a single colour, told apart by its red.
    static func picture(_ red: UInt8) -> [UInt8] {
        ImageEncoder.png(PixelImage(width: 2, height: 2, pixels: [red, 1, 2, red, 1, 2, red, 1, 2, red, 1, 2]))
    }

    private func names(_ dataset: some ImageDataset) -> [String] { (0..<dataset.count).map { dataset.name(at: $0) } }
    private func labels(_ dataset: some ImageDataset) -> [Int?] { (0..<dataset.count).map { dataset.label(at: $0) } }

    private func error(_ body: () throws(DatasetError) -> some Any) -> DatasetError? {
        do throws(DatasetError) {
            _ = try body()
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        ["img1", "img2", "img10", "img20"], ["a", "b"], ["a", "a1", "b"], ["x1y2", "x1y10", "x2y1"], ["7", "007b", "8"], ["01", "1", "1a"],
        ["", "0"], ["B", "a"], ["img99999999999999999999999998", "img99999999999999999999999999"], ["a-1", "a1"], ["1.2", "1.10"],
    ])
    func naturalOrder(sorted: [String]) {
        for (i, a) in sorted.enumerated() {
            for (j, b) in sorted.enumerated() { #expect(NaturalOrder.precedes(a, b) == (i < j), "\(a) and \(b)") }
        }
    }

    @Test func folderPerClass() throws {
        let folder = try TemporaryFolder()
        for (i, name) in ["c10/b.png", "c2/10.png", "c2/9.PNG", "c2/deeper/1.png", "loose.png", "c10/a.jpeg"].enumerated() {
            try folder.write(Self.picture(UInt8(i)), to: name)
        }
        for name in ["c2/notes.txt", ".hidden.png", "c10/._a.jpeg", "README", "c2/png"] { try folder.write([1], to: name) }
        try folder.write([1], to: ".cache/old.png")  // not looked into, and so not counted
        try folder.write([1], to: "empty class/notes.txt")
        let dataset = try FolderDataset(folder.path)
        #expect(names(dataset) == ["c2/9.PNG", "c2/10.png", "c2/deeper/1.png", "c10/a.jpeg", "c10/b.png", "loose.png"])
        #expect(dataset.classNames == ["c2", "c10"])
        #expect(labels(dataset) == [0, 0, 0, 1, 1, nil])
        #expect(dataset.ignoredFiles == 6)
        let reds = try (0..<dataset.count).map { try dataset.image(at: $0, coveringAtLeast: nil).pixels[0] }
        #expect(reds == [2, 1, 3, 5, 0, 4])
    }

    /// A run may stand in the folder of its images.
    @Test func whatRunsWroteIsNoData() throws {
        let folder = try TemporaryFolder()
        for name in ["1.png", "2.png"] { try folder.write(Self.picture(0), to: name) }
        for (mark, run) in [("recipe.yaml", ""), ("recipe.yaml", "runs/a/"), ("results.json", "measured/")] {
            try folder.write([1], to: run + mark)
            for picture in ["evaluation/views.png", "thumbnails/0.png", "evaluation/thumbnails/1.png"] {
                try folder.write(Self.picture(0), to: run + picture)
            }
        }
        let dataset = try FolderDataset(folder.path)
        #expect(names(dataset) == ["1.png", "2.png"] && dataset.classNames.isEmpty)
        // Without a run beside it, such a name is any other.
        let classes = try TemporaryFolder()
        for name in ["evaluation/1.png", "rest/2.png"] { try classes.write(Self.picture(0), to: name) }
        #expect(try FolderDataset(classes.path).classNames == ["evaluation", "rest"])
    }

    @Test func unlabelledFolder() throws {
        let folder = try TemporaryFolder()
        for name in ["10.png", "9.png", "1.png"] { try folder.write(Self.picture(0), to: name) }
        let dataset = try FolderDataset(folder.path)
        #expect(names(dataset) == ["1.png", "9.png", "10.png"] && dataset.classNames.isEmpty)
        #expect(labels(dataset) == [nil, nil, nil])
    }

    @Test func links() throws {
        let folder = try TemporaryFolder()
        try folder.write(Self.picture(9), to: "data/one/a.png")
        let manager = FileManager.default
        try manager.createSymbolicLink(atPath: "\(folder.path)/data/one/loop", withDestinationPath: "..")
        try manager.createSymbolicLink(atPath: "\(folder.path)/data/one/b.png", withDestinationPath: "a.png")
        try manager.createSymbolicLink(atPath: "\(folder.path)/data/one/c.png", withDestinationPath: "nowhere.png")
        try folder.write(Self.picture(8), to: "elsewhere/z.png")
        try manager.createSymbolicLink(atPath: "\(folder.path)/data/two", withDestinationPath: "../elsewhere")
        let dataset = try FolderDataset("\(folder.path)/data")
        #expect(names(dataset) == ["one/a.png", "one/b.png", "one/c.png", "two/z.png"])
        #expect(dataset.classNames == ["one", "two"])
        #expect(try dataset.image(at: 1, coveringAtLeast: nil) == dataset.image(at: 0, coveringAtLeast: nil))
        #expect(throws: ImageError.self) { try dataset.image(at: 2, coveringAtLeast: nil) }
    }

    @Test func errorsSayWhatToDo() throws {
        let folder = try TemporaryFolder()
        #expect(
            error { () throws(DatasetError) in try FolderDataset(folder.path) }
                == .noImages(folder: folder.path, ignoredFiles: 0, archive: nil))
        try folder.write([1], to: "a.txt")
        try folder.write([1], to: "below/b.txt")
        let none = try #require(error { () throws(DatasetError) in try DatasetOpener.open(folder.path) })
        #expect(none.description.hasPrefix("no images in \(folder.path) (2 other files ignored): put JPEG,"))
        try folder.write([1], to: "cifar.tar.gz")
        let packed = try #require(error { () throws(DatasetError) in try DatasetOpener.open(folder.path) })
        #expect(packed.description == "no images in \(folder.path) (3 other files ignored): unpack cifar.tar.gz first")
        try folder.write([1], to: "films/walk.MP4")
        let films = try #require(error { () throws(DatasetError) in try DatasetOpener.open(folder.path + "/films") })
        #expect(films.description.contains("(1 other file ignored): unpack each video's frames into a folder"))
        #expect(films.description.hasSuffix("`ffmpeg -i '\(folder.path)/films/walk.MP4' FOLDER/%06d.png`"))
        let missing = error { () throws(DatasetError) in try DatasetOpener.open(folder.path + "/no") }
        #expect(missing?.description.hasPrefix("no such file or folder: \(folder.path)/no: check the path") == true)
        let file = error { () throws(DatasetError) in try DatasetOpener.open(folder.path + "/a.txt") }
        #expect(file?.description.contains("give a folder of images") == true)
    }

    @Test func limitDrawsTheSameEveryTime() throws {
        let folder = try TemporaryFolder()
        for i in 0..<60 { try folder.write([1], to: "\(i % 3)/\(i).png") }
        let all = try FolderDataset(folder.path)
        let some = try FolderDataset(folder.path, options: DatasetOptions(limit: 20, seed: 4))
        #expect(some.count == 20 && some.classNames == all.classNames)
        let chosen = names(some)
        #expect(names(all).filter(Set(chosen).contains) == chosen, "the order is kept")
        #expect(try names(FolderDataset(folder.path, options: DatasetOptions(limit: 20, seed: 4))) == chosen)
        #expect(try names(FolderDataset(folder.path, options: DatasetOptions(limit: 20, seed: 5))) != chosen)
        #expect(names(all.randomSubset(limit: 20, seed: 4)) == chosen)
        for i in 0..<20 { #expect(some.label(at: i) == Int(some.name(at: i).prefix(1))) }
        #expect(try FolderDataset(folder.path, options: DatasetOptions(limit: 100)).count == 60)
    }

    @Test func subsetKeepsItsOrder() throws {
        let folder = try TemporaryFolder()
        for i in 0..<5 { try folder.write(Self.picture(UInt8(i)), to: "\(i % 2)/\(i).png") }
        let subset = try FolderDataset(folder.path).subset([4, 0, 4])
        #expect(names(subset) == ["1/3.png", "0/0.png", "1/3.png"] && labels(subset) == [1, 0, 1])
        #expect(try subset.image(at: 0, coveringAtLeast: nil).pixels[0] == 3)
    }

    @Test func everyChoiceIsEquallyLikely() {
        var counts = [Int](repeating: 0, count: 10)
        for seed in 0..<4000 {
            let chosen = RandomSubset.indices(of: 10, limit: 3, seed: UInt64(seed))
            #expect(chosen.count == 3 && chosen == Set(chosen).sorted())
            for index in chosen { counts[index] += 1 }
        }
        // 1200 expected; 4.5 standard deviations (29).
        for count in counts { #expect(abs(count - 1200) < 130) }
    }

    @Test func namesAreCompact() throws {
        let folder = try TemporaryFolder()
        for i in 0..<2000 { try folder.write([], to: "\(i / 500)/ILSVRC2012_val_0000\(1000 + i).JPEG") }
        let dataset = try FolderDataset(folder.path)
        #expect(dataset.count == 2000)
        #expect(dataset.footprint <= 50 * 2000, "\(dataset.footprint / 2000) bytes for a name of 28")
    }

    // MARK: Splits

    /// Pretraining asks for the training part only: what is wrong with the other is none of its business.
    @Test func theHeldOutPartCanBeLeftAlone() throws {
        let folder = try TemporaryFolder()
        for name in ["train/dog/1.png", "test/wolf/2.png"] { try folder.write(Self.picture(0), to: name) }
        #expect(try DatasetSplits.open(folder.path, heldOut: false).train.classNames == ["dog"])
    }

    @Test(arguments: ["test", "val", "valid", "validation"]) func splits(held: String) throws {
        let folder = try TemporaryFolder()
        for name in ["train/dog/1.png", "train/cat/1.png", "\(held)/dog/2.png"] { try folder.write(Self.picture(0), to: name) }
        let splits = try DatasetSplits.open(folder.path)
        #expect(splits.train.classNames == ["cat", "dog"] && splits.train.count == 2)
        let test = try #require(splits.test)
        // Numbered as in training, although it has only the second class.
        #expect(test.classNames == ["cat", "dog"] && test.label(at: 0) == 1 && test.name(at: 0) == "dog/2.png")
        #expect(try DatasetOpener.open(folder.path).count == 2)
        #expect(try DatasetOpener.open(folder.path, part: .test).count == 1)
        #expect(
            error { () throws(DatasetError) in try DatasetOpener.open(folder.path, part: .unlabelled) }
                == .noSuchPart(.unlabelled, in: folder.path))
        try folder.write(Self.picture(0), to: "\(held)/wolf/2.png")
        #expect(
            error { () throws(DatasetError) in try DatasetSplits.open(folder.path) } == .unknownClass("wolf", in: "\(folder.path)/\(held)"))
    }

    @Test func trainMayBeAClass() throws {
        let folder = try TemporaryFolder()
        for name in ["bus/1.png", "train/1.png", "car/1.png"] { try folder.write(Self.picture(0), to: name) }
        let splits = try DatasetSplits.open(folder.path)
        #expect(splits.train.classNames == ["bus", "car", "train"] && splits.test == nil && splits.format == .folder)
    }

    /// Also in capitals, and by the other usual names.
    @Test(arguments: [("Train", "Test"), ("training", "testing"), ("Training", "Validation"), ("TRAIN", "val")])
    func splitsByOtherNames(train: String, held: String) throws {
        let folder = try TemporaryFolder()
        for name in ["\(train)/dog/1.png", "\(train)/cat/1.png", "\(held)/dog/2.png"] { try folder.write(Self.picture(0), to: name) }
        let told = ToldLines()
        let splits = try DatasetSplits.open(folder.path, options: told.options)
        #expect(splits.train.classNames == ["cat", "dog"] && splits.test?.count == 1 && told.lines.isEmpty)
    }

    @Test func whatBesidesTheSplitsIsLeftOutIsTold() throws {
        let folder = try TemporaryFolder()
        for name in ["train/dog/1.png", "test/dog/1.png", "val/dog/1.png", "cat/1.png", "owl/1.png"] {
            try folder.write(Self.picture(0), to: name)
        }
        let told = ToldLines()
        #expect(try DatasetSplits.open(folder.path, options: told.options).train.classNames == ["dog"])
        #expect(told.lines.count == 1 && told.lines[0].contains("left out: cat, owl"), "\(told.lines)")
    }

    @Test func partsThatAreTakenForClassesAreTold() throws {
        let folder = try TemporaryFolder()
        for name in ["data/train/train/dog/1.png", "data/train/test/dog/1.png", "data/test/train/1.png"] {
            try folder.write(Self.picture(0), to: name)
        }
        let told = ToldLines()
        #expect(try DatasetSplits.open("\(folder.path)/data", options: told.options).train.classNames == ["test", "train"])
        #expect(told.lines.count == 1 && told.lines[0].contains("give \(folder.path)/data/train instead"), "\(told.lines)")

        for name in ["other/test/dog/1.png", "other/val/dog/1.png"] { try folder.write(Self.picture(0), to: name) }
        let others = ToldLines()
        #expect(try DatasetSplits.open("\(folder.path)/other", options: others.options).train.classNames == ["test", "val"])
        #expect(others.lines.count == 1 && others.lines[0].contains("test and val are taken for classes"), "\(others.lines)")
    }

    @Test func imagesOfOtherKindsAreTold() throws {
        let folder = try TemporaryFolder()
        for name in ["a/1.png", "b/1.png"] { try folder.write(Self.picture(0), to: name) }
        for name in ["a/1.HEIC", "a/2.heic", "b/1.gif", "b/notes.txt"] { try folder.write([1], to: name) }
        let told = ToldLines()
        #expect(try FolderDataset(folder.path, options: told.options).count == 2)
        #expect(told.lines.count == 1 && told.lines[0].contains("3 images are left out"), "\(told.lines)")
        #expect(told.lines[0].contains("(1 .gif, 2 .heic)") && told.lines[0].hasPrefix("\(folder.path): "))
        let none = ToldLines()
        try FileManager.default.removeItem(atPath: "\(folder.path)/b/1.gif")
        _ = try FolderDataset("\(folder.path)/b", options: none.options)
        #expect(none.lines.isEmpty)
    }

    @Test func trainAlone() throws {
        let folder = try TemporaryFolder()
        for name in ["train/bus/1.png", "train/car/1.png"] { try folder.write(Self.picture(0), to: name) }
        let splits = try DatasetSplits.open(folder.path)
        #expect(splits.train.classNames == ["bus", "car"] && splits.test == nil)
    }
}
