import Files
import Foundation
import Testing

@testable import Reporting

@Suite struct LowShotTests {
    private func row(_ encoder: String, _ shots: Int, _ classifier: String, _ value: Double, half: Double? = 0.05) -> EvaluationResult {
        EvaluationResult(
            encoder: encoder, protocolName: "lowshot", split: "test", metric: "top-1 k=\(shots) \(classifier)", value: value,
            lower: half.map { value - $0 }, upper: half.map { value + $0 }, trainImages: 10 * shots, testImages: 500)
    }

    private func rows(_ encoders: [String], _ shots: [Int], _ classifiers: [String]) -> [EvaluationResult] {
        encoders.enumerated().flatMap { place, encoder in
            shots.enumerated().flatMap { index, shots in
                classifiers.enumerated().map { number, classifier in
                    row(encoder, shots, classifier, 0.2 + 0.1 * Double(index) + 0.02 * Double(place) + 0.15 * Double(number))
                }
            }
        }
    }

    private func page(_ results: [EvaluationResult]) throws -> XMLDocumentReader {
        let run = try TemporaryRun()
        try run.write("evaluation/results.json", JSONEncoder().encode(results))
        return try #require(XMLDocumentReader(RunReport.html(runFolder: run.url)))
    }

    private let knn = EvaluationResult(encoder: "simclr", protocolName: "knn", setting: "k=20", split: "test", value: 0.4)

    @Test func everyClassifierIsAChartWithACurveForEachEncoder() throws {
        let encoders = ["simclr", "random encoder", "raw pixels"]
        let document = try page([knn] + rows(encoders, [5, 1, 20], ["logistic", "centroid", "svm"]))
        #expect(document.all("section").map { $0.attributes["id"] } == ["results", "lowshot"])
        let charts = document.all("svg").filter { $0.attributes["class"] == "chart line" }
        #expect(charts.compactMap { $0.attributes["aria-label"] } == ["Logistic regression", "Nearest class mean", "Linear SVM"])
        for chart in charts {
            for encoder in encoders { #expect(chart.text.contains("\(encoder), labels per class 20: ")) }
            #expect(chart.text.contains("labels per class, log scale"))
        }
        // One scale for all, that holds the largest upper bound, 79 %.
        let ticks = document.all("text").filter { $0.attributes["text-anchor"] == "end" && $0.text.hasSuffix("%") }.map(\.text)
        let own = Array(ticks.prefix(ticks.count / 3))
        #expect(ticks == own + own + own && own.contains { (Double($0.dropLast(2)) ?? 0) >= 79 })
        #expect(charts.count == 3 && document.all("line").count { $0.attributes["class"] == "interval" } == 3 * 3 * 3)
        // Rising labels, whatever the order of the rows.
        let paths = document.all("path").compactMap { $0.attributes["d"] }.filter { $0.hasPrefix("M") && $0.contains("L") }
        for path in paths.suffix(9) {
            let places = path.split { "ML ".contains($0) }.compactMap { Double($0) }.enumerated().filter { $0.offset % 2 == 0 }.map(
                \.element)
            #expect(places.count == 3 && places == places.sorted())
            // Over the logarithm: from 1 to 5 is more than from 5 to 20.
            #expect(places[1] - places[0] > places[2] - places[1])
        }
        // No bar is left of 27 rows, and all of them stand in the table.
        let bars = document.all("svg").filter { $0.attributes["class"] == "chart bar" }
        #expect(bars.count == 2 && bars.allSatisfy { !$0.text.contains("low-shot") && $0.text.contains("kNN") })
        #expect(document.all("details").first { $0.text.contains("Every point") }?.text.contains("74.0 %") == true)
        #expect(
            document.all("details").first { $0.text.contains("Every point") }?.text.components(separatedBy: "random encoder").count == 10)
    }

    @Test func oneNumberOfLabelsIsNoCurve() throws {
        let document = try page(rows(["simclr", "raw pixels"], [5], ["logistic", "svm"]))
        #expect(document.all("section").map { $0.attributes["id"] } == ["results"])
        let charts = document.all("svg").filter { $0.attributes["class"]?.hasPrefix("chart") == true }
        #expect(charts.count == 2 && charts.allSatisfy { $0.attributes["class"] == "chart bar" && $0.text.contains("k=5 svm") })
    }

    @Test func rowsWithoutIntervalsAndOtherNamesAreDrawnToo() throws {
        let hostile = "<script>'&"
        var results = rows(["simclr"], [1, 2], ["logistic"]).map { result in
            var result = result
            (result.lower, result.upper) = (nil, nil)
            return result
        }
        results += [row(hostile, 2, "logistic", 0.3), row("simclr", 1, hostile, 0.3)]
        // Not of this form: a row like others.
        results.append(EvaluationResult(encoder: "simclr", protocolName: "lowshot", metric: "top-1 k=many svm", value: 0.9))
        let document = try page(results)
        #expect(document.all("section").map { $0.attributes["id"] } == ["results", "lowshot"])
        #expect(document.all("script").isEmpty && document.all("line").count { $0.attributes["class"] == "interval" } == 2)
        #expect(LowShotSection.curves(results).count == 4)
    }

    // MARK: Names of bars

    private func heads(_ chart: BarChart) throws -> [(text: String, y: Double)] {
        try #require(XMLDocumentReader(chart.svg())).all("text").filter { $0.attributes["x"] == "0" && $0.attributes["font-size"] == "12" }
            .map { ($0.text, Double($0.attributes["y"] ?? "")!) }
    }

    @Test func longNamesOfGroupsAreWrappedAndNotCut() throws {
        let long = "linear probe λ=1e+00 top-1 chosen layer of all layers of the network held-out fifth"
        var chart = BarChart(title: "t", groups: [long, "kNN"].map { .init(name: $0, bars: [.init(name: "a", value: 0.5)]) })
        #expect(try heads(chart).map(\.text) == [long, "kNN"])
        let wide = try #require(XMLDocumentReader(chart.svg())).all("rect").compactMap { Double($0.attributes["y"] ?? "") }
        chart.width = 350
        let lines = try heads(chart)
        #expect(lines.dropLast().map(\.text).joined(separator: " ") == long && lines.count == 3)
        // Nothing is beyond the drawing, and lines do not cover each other nor their bars.
        for line in lines { #expect(Drawing.width(line.text) <= 350) }
        #expect(lines[1].y - lines[0].y == 15)
        let bars = try #require(XMLDocumentReader(chart.svg())).all("rect").compactMap { Double($0.attributes["y"] ?? "") }
        #expect(bars[0] == wide[0] + 15 && bars[1] == wide[1] + 15 && bars[0] > lines[1].y)
        // A name without an end is.
        chart.groups[0].name = String(repeating: "word ", count: 100)
        #expect(try heads(chart).count == 4 && heads(chart)[2].text.hasSuffix("…"))
        #expect(Drawing.wrapped(String(repeating: "w", count: 99), to: 100).allSatisfy { Drawing.width($0) <= 100 })
    }
}
