import Files
import Foundation
import Testing

@testable import Reporting

@Suite struct MistakesSectionTests {
    private func page(_ sheet: MistakeSheet) throws -> XMLDocumentReader {
        let run = try TemporaryRun(wholeRun)
        try run.write("evaluation/thumbnails/a.png", onePixelPNG)
        try run.write("evaluation/mistakes.json", JSONEncoder().encode(sheet))
        let html = try RunReport.html(runFolder: run.url)
        return try #require(XMLDocumentReader(html), "the page is not well-formed")
    }

    private let mistake = MistakeSheet.Mistake(
        image: "thumbnails/a.png", saliency: "thumbnails/a.png", label: "cat & <dog>", predicted: "b", confidence: 0.875)

    @Test func fewClassesAreAMatrix() throws {
        let document = try page(
            .init(
                classifier: "linear probe", classes: ["cat & <dog>", "b", "none"], confusion: [[3, 1, 0], [0, 1200, 4], [0, 0, 0]],
                saliency: .gradCAM, worst: [mistake], data: "labelled/"))
        let cells = document.all("td").filter { $0.attributes["class"] == "hit" || $0.attributes["class"] == "miss" }
        #expect(cells.map(\.text) == ["3", "1", "", "", "1,200", "4", "", "", ""])
        #expect(cells[0].attributes["style"] == "--share:75%" && cells[8].attributes["style"] == "--share:0%")
        #expect(cells[5].attributes["title"]?.hasPrefix("b taken for none: 4") == true)
        let figures = document.all("figure").filter { $0.attributes["class"] == "tile mistake" }
        #expect(figures.count == 1 && figures[0].text.contains("cat & <dog>") && figures[0].text.contains("88"))
        let text = document.all("section").first { $0.attributes["id"] == "mistakes" }?.text ?? ""
        #expect(text.contains("Grad-CAM") && text.contains("the test images of labelled/.") && !text.contains("attention"))
    }

    @Test func manyClassesAreTheirLargestConfusions() throws {
        let count = 30
        var confusion = (0..<count).map { row in (0..<count).map { $0 == row ? 10 : 0 } }
        confusion[4][7] = 9
        confusion[8][2] = 3
        let document = try page(
            .init(classifier: "linear probe", classes: (0..<count).map { "class \($0)" }, confusion: confusion, worst: []))
        let text = document.all("section").first { $0.attributes["id"] == "mistakes" }?.text ?? ""
        #expect(text.contains("class 4") && text.contains("class 8") && !text.contains("class 12"))
        #expect(!text.contains("Most confident"))
    }

    @Test func aSheetThatDoesNotFitItselfIsLeftOut() throws {
        let document = try page(.init(classifier: "x", classes: ["a", "b"], confusion: [[1, 2]], worst: []))
        #expect(!document.all("section").contains { $0.attributes["id"] == "mistakes" })
    }
}
