import Testing

@testable import Views

@Suite("List datasets") struct DatasetsListTests {
    private func list(_ text: String, in folder: TemporaryFolder, _ name: String = "list.csv") throws -> ListDataset {
        try ListDataset(folder.write(Array(text.utf8), to: name))
    }

    private func rows(_ dataset: ListDataset) -> [String] {
        (0..<dataset.count).map { i in "\(dataset.name(at: i)):\(dataset.label(at: i).map { dataset.classNames[$0] } ?? "-")" }
    }

    private func filled() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        for (i, name) in ["a.png", "b, c.png", "d \"e\".png", "deep/f.png"].enumerated() {
            try folder.write(DatasetsFolderTests.picture(UInt8(i)), to: name)
        }
        return folder
    }

    @Test func quotesAndLineEnds() throws {
        let folder = try filled()
        let dataset = try list(
            "\u{FEFF}a.png,cat\r\n\"b, c.png\",\"black\ncat\"\n\n\"d \"\"e\"\".png\",dog\r\ndeep/f.png,", in: folder)
        #expect(rows(dataset) == ["a.png:cat", "b, c.png:black\ncat", "d \"e\".png:dog", "deep/f.png:-"])
        #expect(dataset.classNames == ["black\ncat", "cat", "dog"])
        #expect(try (0..<4).map { try dataset.image(at: $0, coveringAtLeast: nil).pixels[0] } == [0, 1, 2, 3])
    }

    @Test func headers() throws {
        let folder = try filled()
        #expect(try rows(list("path,label\na.png,x\n", in: folder)) == ["a.png:x"])
        #expect(try rows(list("Class,other,FileName\nx,1,a.png\n", in: folder)) == ["a.png:x"])
        #expect(try rows(list("image\na.png\n", in: folder)) == ["a.png:-"])
        #expect(try rows(list("a.png\ndeep/f.png\n", in: folder)) == ["a.png:-", "deep/f.png:-"])
    }

    @Test func numbersAreOrderedAsNumbers() throws {
        let folder = try filled()
        let dataset = try list("a.png,10\ndeep/f.png,9\nb.png,10\nc.png,0", in: folder)
        #expect(dataset.classNames == ["0", "9", "10"])
        #expect((0..<4).map { dataset.label(at: $0) } == [2, 1, 2, 0])
    }

    @Test func absolutePaths() throws {
        let folder = try filled()
        let dataset = try list("\(folder.path)/a.png,x", in: folder, "elsewhere/list.csv")
        #expect(try dataset.image(at: 0, coveringAtLeast: nil).pixels[0] == 0)
    }

    @Test func trainAndTest() throws {
        let folder = try filled()
        try folder.write(Array("a.png,x\ndeep/f.png,y".utf8), to: "train.csv")
        try folder.write(Array("a.png,y".utf8), to: "test.csv")
        let splits = try DatasetSplits.open(folder.path)
        #expect(splits.format == .list && splits.train.count == 2)
        #expect(splits.test?.label(at: 0) == 1 && splits.test?.classNames == ["x", "y"])
        try folder.write(Array("a.png,z".utf8), to: "test.csv")
        #expect(throws: DatasetError.unknownClass("z", in: "\(folder.path)/test.csv")) { try DatasetSplits.open(folder.path) }
    }

    @Test(arguments: [
        ("a.png,x\n,y", 2, "no path: expected path,label"), ("a.png,x\n\n\"b", 3, "a quote is opened and never closed"),
        ("\"a\"b,x", 1, "text after a closing quote: double the quotes inside a field"),
        ("path,label\n", 1, "the list names no image: expected lines path,label"),
    ])
    func brokenLines(text: String, line: Int, reason: String) throws {
        let folder = try filled()
        #expect(throws: DatasetError.badLine(file: "\(folder.path)/list.csv", line: line, reason: reason)) { try list(text, in: folder) }
    }

    @Test func spacesAroundPathsAndLabelsDoNotCount() throws {
        let folder = try filled()
        let dataset = try list(" Path , Label\na.png ,cat \n deep/f.png,cat\n\"b, c.png\", black cat\nd.png,  ", in: folder)
        #expect(rows(dataset) == ["a.png:cat", "deep/f.png:cat", "b, c.png:black cat", "d.png:-"])
        #expect(dataset.classNames == ["black cat", "cat"])
    }

    @Test func columnsThatWouldDivideTheList() throws {
        let folder = try filled()
        let error = #expect(throws: DatasetError.self) {
            try list("path,label,split\na.png,x,train\ndeep/f.png,y,train\nb.png,y,test", in: folder)
        }
        for words in ["line 4", "the column split says \"test\" after \"train\"", "train.csv and test.csv", "take the column away"] {
            #expect(error?.description.contains(words) == true, "\(words)")
        }
        // Of one part only it divides nothing.
        #expect(try list("path,label,split\na.png,x,train\ndeep/f.png,y,train", in: folder).count == 2)
    }

    @Test func imagesThatAreListedTwice() throws {
        let folder = try filled()
        let error = #expect(throws: DatasetError.self) { try list("a.png,x\ndeep/f.png,y\na.png,y", in: folder) }
        for words in ["line 3", "a.png has the label \"y\" here and \"x\" in a line before"] {
            #expect(error?.description.contains(words) == true, "\(words)")
        }
        let told = ToldLines()
        let file = try folder.write(Array("a.png,x\ndeep/f.png,y\na.png,x\na.png,x".utf8), to: "twice.csv")
        #expect(try ListDataset(file, options: told.options).count == 4)
        #expect(told.lines.count == 1 && told.lines[0].hasPrefix("\(file): 2 lines repeat an image"), "\(told.lines)")
    }

    @Test func pathsThatLeadNowhere() throws {
        let folder = try filled()
        let error = #expect(throws: DatasetError.self) { try list("images/1.png,x\nimages/2.png,y", in: folder) }
        #expect(
            error?.description.hasSuffix("no such image: \(folder.path)/images/1.png: paths are relative to the folder of the list") == true
        )
        #expect(try list("images/1.png,x\na.png,y", in: folder).count == 2)  // single losses are found when they are read
        #expect(throws: DatasetError.unreadable(path: "\(folder.path)/no.csv", reason: "No such file or directory")) {
            try ListDataset("\(folder.path)/no.csv")
        }
        #expect(throws: DatasetError.self) { try list("", in: folder) }
    }
}
