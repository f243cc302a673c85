import Files
import Foundation
import Testing

@testable import Reporting

@Suite struct LabelsTests {
    private let found = LabelCurves(
        curves: [
            .init(
                name: "simclr, linear",
                points: [
                    .init(labels: 10, value: 0.3, lower: 0.25, upper: 0.35, draws: [0.28, 0.32]),
                    .init(labels: 1000, value: 0.6, lower: 0.58, upper: 0.62, draws: [0.6]),
                ]),
            .init(name: "supervised", points: [.init(labels: 1000, value: 0.5, lower: 0.48, upper: 0.52, draws: [0.5])]),
        ],
        savings: [
            .init(curve: "simclr, linear", labels: 100, accuracy: 0.7, needed: nil, lower: nil, upper: nil, secondsPerLabel: 5),
            .init(curve: "simclr, linear", labels: 1000, accuracy: 0.5, needed: 280, lower: 136, upper: nil, secondsPerLabel: 5),
        ], testImages: 500, secondsPerLabel: 5)

    @Test func tableAndSentences() {
        let lines = found.text.split(separator: "\n").map(String.init)
        #expect(lines[2] == "    10  30.0 % (25.0–35.0)                   –")
        #expect(lines[3] == " 1,000  60.0 % (58.0–62.0)  50.0 % (48.0–52.0)")
        #expect(lines[5].hasSuffix("does not come so far"))
        // (1000 − 280) · 5 s = 1 h, (1000 − 136) · 5 s = 1.2 h
        #expect(lines[7].hasSuffix("needs 280 (136–more than measured), saves 1.0 h (at most 1.2) at 5 s each"))
        func sentence(_ needed: Double, _ lower: Double, _ upper: Double, isBound: Bool = false) -> String {
            var other = found
            other.savings = [
                .init(
                    curve: "simclr, linear", labels: 1000, accuracy: 0.5, needed: needed, lower: lower, upper: upper, secondsPerLabel: 5,
                    isBound: isBound)
            ]
            return other.sentences[0]
        }
        #expect(sentence(10, 10, 10, isBound: true).hasSuffix("needs at most 10, where its curve begins, saves at least 1.4 h at 5 s each"))
        #expect(sentence(1000, 1000, 1000, isBound: true).hasSuffix("needs at most 1,000, where its curve begins"))
        #expect(sentence(280, 136, 1360).hasSuffix("needs 280 (136–1,360), saves 1.0 h (-0.5–1.2) at 5 s each"))
        #expect(sentence(1360, 1000, 1720).hasSuffix("needs 1,360 (1,000–1,720), saves nothing at 5 s each"))
        var noted = found
        noted.notes = ["classes are missing"]
        #expect(noted.text.hasSuffix("\nclasses are missing"))
        noted.notes = [String(repeating: "a class that is missing, ", count: 9)]
        #expect(noted.text.split(separator: "\n").allSatisfy { DisplayWidth.of(String($0)) <= 100 })
        #expect(lines.allSatisfy { DisplayWidth.of($0) <= 100 })
    }

    @Test func theReportShowsTheCurveOverTheLogarithmOfLabels() throws {
        let run = try TemporaryRun()
        try run.write("evaluation/labels.json", JSONEncoder().encode(found))
        let contents = RunContents(try RunFolderReader(run.url))
        #expect(contents.labels == found && contents.notes.isEmpty)
        let page = ReportPage(contents).html
        #expect(page.contains("id=\"labels\"") && page.contains("labels, log scale") && page.contains("saves 1.0 h"))
        let document = try #require(XMLDocumentReader(page))
        let saved = try #require(document.all("table").first { $0.text.contains("Hours saved") }).text
        #expect(saved.contains("136–more than measured") && saved.contains("1.0 h (at most 1.2)"))
        #expect(page.contains("on 500 test images against"))
        var named = found
        named.data = "labelled/"
        try run.write("evaluation/labels.json", JSONEncoder().encode(named))
        #expect(ReportPage(RunContents(try RunFolderReader(run.url))).html.contains("on 500 test images of labelled/ against"))
        // A file of before the hours were among its values.
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let old = String(decoding: try encoder.encode(found), as: UTF8.self)
            .replacing(#/"hours[A-Za-z]*":[0-9.]+,/#, with: "").replacing(#/"isBound":false,/#, with: "")
        try run.write("evaluation/labels.json", Data(old.utf8))
        let again = RunContents(try RunFolderReader(run.url))
        #expect(again.notes.isEmpty && again.labels?.savings.last?.needed == 280 && again.labels?.savings.last?.hoursSaved == nil)
        #expect(again.labels?.sentences.last?.hasSuffix("needs 280 (136–more than measured)") == true)
    }

    @Test func intervalsAreLinesOfTheirLength() throws {
        func lines(_ intervals: [ClosedRange<Double>]) throws -> [Double] {
            var series = LineChart.Series(name: "a", x: [1, 2, 3], y: [0.2, 0.4, 0.5])
            series.intervals = intervals
            let svg = try #require(XMLDocumentReader(LineChart(title: "a", series: [series]).svg()))
            return svg.all("line").filter { $0.attributes["class"] == "interval" }.map {
                Double($0.attributes["y1"] ?? "")! - Double($0.attributes["y2"] ?? "")!
            }
        }
        let found = try lines([0.1...0.3, 0.35...0.45, 0.5...0.9])
        #expect(found.count == 3 && abs(found[0] / found[1] - 2) < 0.05 && abs(found[2] / found[0] - 2) < 0.05)
        #expect(try lines([]).isEmpty)
    }

    @Test func aLogarithmicHorizontalAxisSpacesByRatio() throws {
        func places(_ logarithmic: Bool) throws -> [Double] {
            var chart = LineChart(title: "a", xLabel: "labels", series: [.init(name: "a", x: [1, 10, 100], y: [1, 2, 3])])
            chart.logarithmicX = logarithmic
            let path = try #require(XMLDocumentReader(chart.svg())).all("path").first?.attributes["d"] ?? ""
            return path.split { "ML ,".contains($0) }.compactMap { Double($0) }.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
        }
        let (even, uneven) = (try places(true), try places(false))
        #expect(even.count == 3 && abs((even[1] - even[0]) - (even[2] - even[1])) < 0.5)
        #expect(uneven[2] - uneven[1] > 5 * (uneven[1] - uneven[0]))
    }

    @Test func settingsChosenForEachEncoderDoNotTearTheTableApart() throws {
        let rows = [("mine", "λ=1e+00"), ("random encoder", nil), ("raw pixels", "λ=1e+02")].map { name, setting in
            EvaluationResult(encoder: name, protocolName: "linear", setting: setting, split: "test", value: 0.5, lower: 0.4, upper: 0.6)
        }
        let run = try TemporaryRun()
        try run.write("evaluation/results.json", JSONEncoder().encode(rows))
        let page = ReportPage(RunContents(try RunFolderReader(run.url))).html
        #expect(page.components(separatedBy: "class=\"block\"").count == 2)
        #expect(page.contains("λ=1e+02"))
    }
}
