import Foundation
import Testing

@testable import Reporting

/// What a method made, in the report.
@Suite struct PicturesSectionTests {
    private func page(_ rows: String, files: [String]) throws -> XMLDocumentReader {
        let run = try TemporaryRun(["evaluation/pictures.json": "{\"rows\":[\(rows)]}"])
        for file in files { try run.write("evaluation/\(file)", onePixelPNG) }
        return try #require(XMLDocumentReader(RunReport.html(runFolder: run.url)), "the page is not well-formed")
    }

    @Test func rowsStandUnderTheirTitles() throws {
        let rows = #"{"title":"What it sees","image":"pictures/1.png"},{"title":"What it <tells>","image":"pictures/2.png"}"#
        let document = try page(rows, files: ["pictures/1.png", "pictures/2.png"])
        #expect(document.all("section").compactMap { $0.attributes["id"] } == ["pictures"])
        #expect(document.all("figcaption").map(\.text) == ["What it sees", "What it <tells>"])
        #expect(document.all("img").map { $0.attributes["alt"] } == ["What it sees", "What it <tells>"])
        #expect(document.all("img").allSatisfy { $0.attributes["src"]?.hasPrefix("data:image/png;base64,") == true })
        #expect(document.all("aside").isEmpty)
    }

    @Test func whatIsMissingOrDamagedIsSaid() throws {
        let rows =
            #"{"title":"a","image":"pictures/1.png"},{"title":"b","image":"../secret.png"},{"title":5},{"title":"d","image":"no.png"}"#
        let document = try page(rows, files: ["pictures/1.png"])
        #expect(document.all("figcaption").map(\.text) == ["a"])
        let notes = document.all("aside").map(\.text).joined()
        #expect(notes.contains("evaluation/pictures.json: 2 images are not shown") && notes.contains("row"), "\(notes)")
    }
}
