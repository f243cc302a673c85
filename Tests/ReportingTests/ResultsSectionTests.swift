import Files
import Foundation
import Testing

@testable import Reporting

@Suite struct ResultsSectionTests {
    private func row(
        _ encoder: String, _ name: String, metric: String = "top-1", seeds: Int? = nil, split: String = "test", half: Double? = 0.02
    ) -> EvaluationResult {
        EvaluationResult(
            encoder: encoder, protocolName: name, split: split, metric: metric, value: 0.4, lower: half.map { 0.4 - $0 },
            upper: half.map { 0.4 + $0 }, testImages: 500, seeds: seeds)
    }

    private func section(_ results: [EvaluationResult], _ differences: [EvaluationDifference] = []) throws -> XMLDocumentReader {
        let run = try TemporaryRun()
        try run.write("evaluation/results.json", JSONEncoder().encode(results))
        try run.write("evaluation/differences.json", JSONEncoder().encode(differences))
        return try #require(XMLDocumentReader(RunReport.html(runFolder: run.url)))
    }

    private func explanation(_ results: [EvaluationResult]) throws -> String {
        let document = try section(results)
        return try #require(document.all("section").first { $0.attributes["id"] == "results" }).text
    }

    @Test func intervalsAreOverWhatTheyAreOver() throws {
        let what = "Whiskers and brackets are 95 % intervals"
        #expect(try explanation([row("a", "knn"), row("raw pixels", "knn")]).contains("\(what) over test images."))
        // One initialisation has the interval over images, as any encoder.
        #expect(try explanation([row("a", "knn"), row("random encoder", "knn", seeds: 1)]).contains("\(what) over test images."))
        let seeds = [
            row("a", "knn", seeds: 3), row("random encoder", "knn", seeds: 2), row("a", "cluster", metric: "NMI", seeds: 3),
            row("a", "lowshot", metric: "top-1 k=5 svm"), row("a", "linear", seeds: 3, split: "held-out fifth"),
        ]
        #expect(
            try explanation(seeds).contains(
                "\(what): of kNN over test images; of random encoder over initialisations; of clusters, linear probe over seeds; "
                    + "of low-shot over draws of the labelled images."))
        #expect(try explanation([row("a", "knn", half: nil)]).contains("No intervals were recorded."))
    }

    @Test func randomEncodersHaveInitialisations() throws {
        let document = try section([
            row("a", "knn", seeds: 3), row("random encoder", "knn", seeds: 2), row("random encoder", "linear", seeds: 1),
        ])
        let remarks = document.all("td").filter { $0.attributes["class"] == "remarks" }.map(\.text)
        #expect(remarks == ["3 seeds", "2 initialisations", "1 initialisation"])
    }

    @Test func aComparisonShowsItsPairedDifferences() throws {
        func difference(_ encoder: String, _ baseline: String, _ name: String = "knn") -> EvaluationDifference {
            EvaluationDifference(
                encoder: encoder, baseline: baseline, protocolName: name, metric: "top-1", value: 0.03, lower: 0.01, upper: 0.05)
        }
        let results = [row("a", "knn"), row("<b>", "knn")]
        let document = try section(results, [difference("a", "<b>"), difference("a", "<b>", "not shown here")])
        let text = try #require(document.all("section").first).text
        #expect(text.contains("The encoders, beside each other.") && !text.contains("pretraining"))
        let folded = document.all("details")
        #expect(folded.count == 1 && folded[0].attributes["open"] == "open")
        let items = document.all("li").map(\.text)
        #expect(items == ["kNN: a is 3.0 points above <b> (95 % interval 1.0 to 5.0)"])
        // Beside baselines the headline says it, and the rest is folded away.
        let usual = try section(results + [row("raw pixels", "knn")], [difference("a", "raw pixels")])
        #expect(usual.all("details").count == 1 && usual.all("details")[0].attributes["open"] == nil)
        #expect(try explanation(results + [row("raw pixels", "knn")]).contains("The encoder, beside what needs no pretraining."))
        #expect(try section(results).all("details").isEmpty)
    }
}
