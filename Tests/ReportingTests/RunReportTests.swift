import Files
import Foundation
import Testing

@testable import Reporting

@Suite struct RunReportTests {
    private func page(_ run: TemporaryRun) throws -> XMLDocumentReader {
        let html = try RunReport.html(runFolder: run.url)
        return try #require(XMLDocumentReader(html), "the page is not well-formed")
    }

    private func sections(_ document: XMLDocumentReader) -> [String] { document.all("section").compactMap { $0.attributes["id"] } }

    private func notes(_ document: XMLDocumentReader) -> String {
        document.all("aside").map(\.text).joined()
    }

    private func wholeTemporaryRun() throws -> TemporaryRun {
        let run = try TemporaryRun(wholeRun)
        try run.write("evaluation/thumbnails/a.png", onePixelPNG)
        try run.write("evaluation/views.png", onePixelPNG)
        return run
    }

    @Test func sectionsInOrder() throws {
        let document = try page(try wholeTemporaryRun())
        #expect(sections(document) == ["results", "learning", "health", "neighbours", "map", "views", "facts", "unreadable"])
        #expect(
            document.all("dd").map(\.text).filter { ["5\u{A0}min\u{A0}21\u{A0}s", "5 min 21 s"].contains($0) }.count == 1, "timing.json")
        #expect(document.all("h1").first?.text == "kNN 41.9\u{A0}% on 2,000 test images: 11.7 points above a random encoder.")
        #expect(document.all("aside").isEmpty)
    }

    @Test(arguments: [
        ("evaluation/results.json", "results"), ("metrics.csv", "learning"), ("evaluation/neighbours.json", "neighbours"),
        ("evaluation/map.json", "map"), ("evaluation/views.png", "views"), ("unreadable.csv", "unreadable"),
    ])
    func aSectionWithoutItsFileIsLeftOut(file: String, section: String) throws {
        let run = try wholeTemporaryRun()
        let before = sections(try page(run))
        try FileManager.default.removeItem(at: run.url.appendingPathComponent(file))
        let document = try page(run)
        #expect(sections(document) == before.filter { $0 != section })
        #expect(document.all("aside").isEmpty)
    }

    @Test(arguments: [
        "summary.json", "health.json", "evaluation/results.json", "evaluation/neighbours.json", "evaluation/map.json", "metrics.csv",
        "unreadable.csv",
    ])
    func aDamagedFileIsNamedAndTheRestIsThere(file: String) throws {
        let run = try wholeTemporaryRun()
        try run.write(file, Data("{\"broken".utf8))
        let document = try page(run)
        #expect(notes(document).contains("\(file) is damaged"))
        #expect(sections(document).count >= 6)
    }

    @Test func theReportNeedsNothingElse() throws {
        let run = try wholeTemporaryRun()
        let html = try RunReport.html(runFolder: run.url)
        let document = try #require(XMLDocumentReader(html))
        #expect(document.all("link").isEmpty && document.all("iframe").isEmpty)
        for element in document.elements {
            for (name, value) in element.attributes where ["src", "href", "data"].contains(name) {
                #expect(value.hasPrefix("data:image/") || value.hasPrefix("#"), "\(element.name) \(name)=\(value)")
            }
            #expect(!element.attributes.keys.contains { $0.hasPrefix("on") })
        }
        #expect(!html.contains("url(") && !html.contains("@import"))
        #expect(document.all("meta").contains { $0.attributes["content"]?.hasPrefix("default-src 'none'") == true })
    }

    @Test func hostileTextStaysText() throws {
        let evil = #"</script></style></title>"><img src=x onerror=alert(1)>'&"#
        let json = String(decoding: try JSONEncoder().encode(evil), as: UTF8.self)
        let quoted = CSV.write([[evil, evil]])
        let run = try TemporaryRun([
            "recipe.yaml": evil,
            "summary.json": "{\"method\":\(json),\"backbone\":\(json),\"paper\":\(json),\"dataset\":{\"name\":\(json)}}",
            "metrics.csv": "epoch,\(CSV.write([[evil, "h." + evil]]))1,2,3\r\n2,3,4\r\n",
            "health.json": "{\"status\":\"collapsed\",\"messages\":[\(json)]}",
            "unreadable.csv": "name,reason\r\n" + quoted,
            "evaluation/results.json": """
            [{"encoder":\(json),"protocol":\(json),"setting":\(json),"split":\(json),"metric":\(json),"value":0.5,"note":\(json)}]
            """,
            "evaluation/neighbours.json":
                "{\"rows\":[{\"query\":{\"image\":\(json),\"label\":\(json)},\"neighbours\":[{\"image\":\(json),\"label\":\(json)}]}]}",
            "evaluation/map.json":
                """
            {"method":\(json),"points":[{"x":0,"y":0,"label":\(json)},{"x":1,"y":0,"label":"b"}],"classes":[\(json)]}
            """,
        ])
        let document = try page(run)
        #expect(document.all("script").count == 2)
        #expect(document.all("style").count == 1)
        #expect(document.all("title").first?.text.contains(evil) == true)
        #expect(!document.elements.contains { $0.attributes["onerror"] != nil })
        #expect(document.all("img").allSatisfy { $0.attributes["src"] == nil })
    }

    @Test func labelsAreToldApartWithoutColour() throws {
        let document = try page(try wholeTemporaryRun())
        let cues = document.all("i").filter { $0.attributes["role"] == "img" }
        #expect(cues.map(\.text) == ["✓", "✗"])
        #expect(cues.map { $0.attributes["aria-label"] } == ["same label", "another label"])
        #expect(document.all("p").contains { $0.text.contains("1 of 2 neighbours (50 %)") })
    }

    @Test(arguments: ["../secret.png", "/etc/hostname", "link.png", "thumbnails/../../secret.png"])
    func imagesOutsideTheRunAreNotTaken(name: String) throws {
        let run = try TemporaryRun(["evaluation/neighbours.json": #"{"rows":[{"query":{"image":"\#(name)"},"neighbours":[]}]}"#])
        try run.write("secret.png", onePixelPNG)
        try FileManager.default.createSymbolicLink(
            at: run.url.appendingPathComponent("evaluation/link.png"), withDestinationURL: run.url.appendingPathComponent("secret.png"))
        let document = try page(run)
        #expect(document.all("img").isEmpty)
        #expect(notes(document).contains("outside the run folder"))
    }

    @Test func whatOnlyCallsItselfAnImageIsNotTaken() throws {
        let run = try wholeTemporaryRun()
        try run.write("evaluation/thumbnails/a.png", Data("<svg onload='alert(1)'/>".utf8))
        let document = try page(run)
        #expect(notes(document).contains("it is not a PNG"))
        #expect(!document.all("img").contains { $0.attributes["src"]?.contains("svg") == true })
    }

    @Test func imagesStayWithinTheirBudget() throws {
        let run = try wholeTemporaryRun()
        try run.write("evaluation/thumbnails/b.png", onePixelPNG)
        let folder = run.url.appendingPathComponent("evaluation")
        var images = InlineImages(folder: folder, budget: onePixelPNG.count + 5)
        #expect(images.picture("thumbnails/a.png")?.width == 1)
        #expect(images.picture("thumbnails/a.png") != nil)
        #expect(images.picture("thumbnails/b.png") == nil)
        #expect(images.missing.count == 1)
        var small = InlineImages(folder: folder, largest: 10)
        #expect(small.picture("thumbnails/a.png") == nil)
    }

    @Test func unknownColumnsAreDrawnAndSparseOnesConnected() throws {
        let document = try page(try wholeTemporaryRun())
        let charts = document.all("svg").filter { $0.attributes["class"] == "chart line" }.compactMap { $0.attributes["aria-label"] }
        #expect(charts == ["Loss", "kNN accuracy", "Mine", "Standard deviation", "Effective rank"])
        let mine = document.all("svg").first { $0.attributes["aria-label"] == "Mine" }
        #expect(mine?.text.contains("epoch 3: 3") == true)
    }

    @Test func valuesThatAreNotFiniteAreNoted() throws {
        let run = try TemporaryRun(["metrics.csv": "epoch,loss\n1,2\n2,nan\n3,nan\n"])
        #expect(notes(try page(run)).contains("metrics.csv: loss is not a finite number in 2 of 3 rows"))
    }

    @Test func onlyTheFirstUnreadableFilesAreListed() throws {
        let rows = (0..<33).map { ["file\($0).jpg", "truncated"] }
        let run = try TemporaryRun(["unreadable.csv": CSV.write([["name", "reason"]] + rows)])
        let document = try page(run)
        #expect(document.all("code").filter { $0.text.hasPrefix("file") }.count == 20)
        #expect(document.all("p").contains { $0.text.hasPrefix("and 13 more") })
        #expect(document.all("p").contains { $0.text == "33 files were left out of training." })
    }

    @Test func unreadableFilesOfTheEvaluationHaveAListOfTheirOwn() throws {
        let rows = (0..<22).map { ["tested\($0).jpg", "truncated"] }
        let run = try TemporaryRun([
            "unreadable.csv": "name,reason\nbroken.jpg,truncated\n", "evaluation/unreadable.csv": CSV.write([["name", "reason"]] + rows),
        ])
        let both = try page(run)
        #expect(both.all("p").contains { $0.text == "1 file was left out of training." })
        #expect(both.all("p").contains { $0.text == "22 files were left out of the last measurement." })
        #expect(both.all("p").contains { $0.text == "and 2 more, all in evaluation/unreadable.csv." })
        try run.write("unreadable.csv", Data("name,reason\n".utf8))
        #expect(sections(try page(run)).contains("unreadable"))
    }

    @Test func aSampleIsFairToClassesHoweverTheyAreSorted() {
        let dealt = MapSection.sample((0..<4000).map { $0 % 10 }, count: 1000)
        let sorted = MapSection.sample((0..<4000).map { $0 / 400 }, count: 1000)
        for points in [dealt, sorted] {
            #expect(points.count == 1000)
            for label in 0..<10 { #expect((60...140).contains(points.count { $0 == label })) }
        }
        #expect(MapSection.sample([3, 1, 2], count: 5) == [3, 1, 2])
    }

    @Test func otherProjectionsAreMapsOfTheSamePoints() throws {
        func run(_ others: String, damaged: Bool = false) throws -> XMLDocumentReader {
            let points =
                #"{"x":0.1,"y":-0.3,"label":"cat","image":"thumbnails/a.png"},{"x":\#(damaged ? "null" : "1"),"y":2,"label":"dog"}"#
            let run = try TemporaryRun(["evaluation/map.json": #"{"method":"PCA","points":[\#(points)],"others":\#(others)}"#])
            try run.write("evaluation/thumbnails/a.png", onePixelPNG)
            return try page(run)
        }
        let document = try run(#"[{"method":"t-SNE","x":[5,-5],"y":[1,1]}]"#)
        let maps = document.all("svg").filter { $0.attributes["class"] == "chart scatter" }
        #expect(maps.map { $0.attributes["aria-label"] } == ["PCA", "t-SNE"])
        // Both show the same thumbnail, which is in the page once.
        #expect(document.all("path").count { $0.attributes["data-key"] == "0" } == 2)
        #expect(document.all("script").first?.text.components(separatedBy: "base64").count == 2)
        // Of another number of points, or with one that is damaged, no place has an owner.
        for document in [
            try run(#"[{"method":"t-SNE","x":[5],"y":[1]}]"#), try run(#"[{"method":"t-SNE","x":[5,-5],"y":[1,1]}]"#, damaged: true),
        ] {
            #expect(document.all("svg").count { $0.attributes["class"] == "chart scatter" } == 1)
        }
    }

    @Test func anEmptyFolderIsNoRun() throws {
        let run = try TemporaryRun()
        #expect(throws: ReportError.nothingToReport(run.url.path)) { try RunReport.write(runFolder: run.url) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: run.url.path).isEmpty)
    }

    @Test func theFileIsWrittenWholeAndAlone() throws {
        let run = try wholeTemporaryRun()
        try run.write("report.html", Data("old".utf8))
        let before = try FileManager.default.contentsOfDirectory(atPath: run.url.path).sorted()
        let file = try RunReport.write(runFolder: run.url)
        #expect(try FileManager.default.contentsOfDirectory(atPath: run.url.path).sorted() == before)
        #expect(try String(contentsOf: file, encoding: .utf8) == RunReport.html(runFolder: run.url))
    }

    @Test func aFolderThatCannotBeWrittenIsOneLine() throws {
        let run = try wholeTemporaryRun()
        // A folder in the report's place cannot be renamed over, whoever tries.
        try FileManager.default.createDirectory(at: run.url.appendingPathComponent("report.html/x"), withIntermediateDirectories: true)
        let before = try FileManager.default.contentsOfDirectory(atPath: run.url.path).sorted()
        let error = #expect(throws: ReportError.self) { try RunReport.write(runFolder: run.url) }
        #expect(error?.description.contains("report.html cannot be written: ") == true)
        #expect(try FileManager.default.contentsOfDirectory(atPath: run.url.path).sorted() == before)
    }

    @Test func theScriptKeepsThePageWellFormed() {
        #expect(!ReportScript.text.contains("<") && !ReportScript.text.contains("&"))
        #expect(!ReportStyle.text.contains("<") && !ReportStyle.text.contains("&"))
    }
}
