import Files
import Foundation
import Testing

@testable import Reporting

@Suite struct RobustnessSectionTests {
    private func section(data: String?) throws -> XMLDocumentReader {
        let rows = ["linear", "knn"].map { classifier in
            RobustnessTable.Row(
                encoder: "simclr", classifier: classifier, corruption: "gaussian-noise", family: "noise", isComparable: true,
                accuracies: [0.5, 0.25])
        }
        let table = RobustnessTable(
            constants: "CIFAR-10-C", severities: [1, 5], clean: [.init(encoder: "simclr", classifier: "linear", accuracy: 0.6)], rows: rows,
            testImages: 500, data: data)
        let run = try TemporaryRun(wholeRun)
        try run.write("evaluation/robustness.json", JSONEncoder().encode(table))
        return try #require(XMLDocumentReader(RunReport.html(runFolder: run.url)))
    }

    /// On a phone tables of the class `results` have two columns and no heads, which numbers by severity cannot do without.
    @Test func numbersKeepTheirHeadsOnAPhone() throws {
        let tables = try section(data: nil).all("table").filter { $0.text.contains("gaussian noise") }
        #expect(tables.count == 2 && tables.allSatisfy { $0.attributes["class"] == "plain" })
        #expect(ReportStyle.text.contains(".results thead{position:absolute") && !ReportStyle.text.contains(".plain thead"))
        let titles = try section(data: nil).all("h3").map(\.text)
        #expect(titles == ["simclr, linear probe: accuracy in % by severity", "simclr, kNN: accuracy in % by severity"])
    }

    @Test func theImagesAreNamedWhereTheyAreKnown() throws {
        func text(_ data: String?) throws -> String {
            let document = try section(data: data)
            return try #require(document.all("section").first { $0.attributes["id"] == "robustness" }).text
        }
        #expect(try text("labelled/").contains("tested on 500 images of labelled/ under corruptions with the constants of CIFAR-10-C"))
        #expect(try text(nil).contains("tested on 500 images under corruptions"))
    }
}
