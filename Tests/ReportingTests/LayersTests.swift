import Files
import Foundation
import Testing

@testable import Reporting

@Suite struct LayersTests {
    private let encoders = ["simclr", "random encoder"]
    private let layers = ["stem", "layer1", "layer2", "layer3", "layer4"]

    private func row(_ encoder: String, _ metric: String, _ value: Double, setting: String? = "λ=1e+00") -> EvaluationResult {
        EvaluationResult(
            encoder: encoder, protocolName: "linear", setting: setting, split: "test", metric: metric, value: value, lower: value - 0.04,
            upper: value + 0.04, trainImages: 100, testImages: 500)
    }

    private func rows(_ layers: [String]) -> [EvaluationResult] {
        encoders.enumerated().flatMap { place, encoder in
            layers.enumerated().map { row(encoder, "top-1 \($1)", 0.3 + 0.1 * Double($0) - 0.2 * Double(place)) }
        }
    }

    private func page(_ results: [EvaluationResult]) throws -> XMLDocumentReader {
        let run = try TemporaryRun()
        try run.write("evaluation/results.json", JSONEncoder().encode(results))
        return try #require(XMLDocumentReader(RunReport.html(runFolder: run.url)))
    }

    @Test func layersAreACurveInTheirOrder() throws {
        var results = [row("simclr", "top-1", 0.5), row("random encoder", "top-1", 0.2)] + rows(layers)
        results += [
            row("simclr", "top-1 chosen layer", 0.6, setting: "layer3"), row("random encoder", "top-1 chosen layer", 0.3, setting: "stem"),
        ]
        let document = try page(results)
        #expect(document.all("section").map { $0.attributes["id"] } == ["results", "layers"])
        let charts = document.all("svg").filter { $0.attributes["class"] == "chart line" }
        // For a desktop and for a phone.
        #expect(charts.count == 2)
        for chart in charts {
            #expect(chart.text.contains("simclr, layer layer3: 60.0 %") && chart.text.contains("random encoder, layer stem: 10.0 %"))
        }
        // Names below the axis, as many as have room, from the left.
        let names = document.all("text").filter { layers.contains($0.text) }.map(\.text)
        #expect(names.prefix(5) == layers[...] && names.count > 5 && names.count <= 10)
        #expect(document.all("line").count { $0.attributes["class"] == "interval" } == 2 * 10)
        // No layer is a bar, the chosen one is.
        let bars = document.all("svg").filter { $0.attributes["class"] == "chart bar" }
        #expect(bars.count == 2 && bars.allSatisfy { !$0.text.contains("layer2") && $0.text.contains("chosen layer") })
        let text = try #require(document.all("section").last?.text)
        #expect(text.contains("simclr at layer3 (60.0 %), random encoder at stem (30.0 %)"))
        #expect(document.all("details").last?.text.components(separatedBy: "random encoder").count == 6)
    }

    @Test func joinedLayersStandInTheTableOnly() throws {
        let document = try page(rows(["block1", "block2", "last4", "last+mean"]))
        let charts = document.all("svg").filter { $0.attributes["class"] == "chart line" }
        #expect(charts.count == 2 && charts.allSatisfy { !$0.text.contains("last") && $0.text.contains("block2") })
        #expect(document.all("details").first?.text.contains("last+mean") == true)
    }

    @Test func oneLayerIsNoCurve() throws {
        let document = try page(rows(["layer4"]))
        #expect(document.all("section").map { $0.attributes["id"] } == ["results"])
    }

    @Test func namesThatWouldTouchAreLeftOut() {
        var chart = LineChart(
            title: "accuracy", xLabel: "layer",
            series: [.init(name: "a", x: (0..<12).map(Double.init), y: .init(repeating: 0.5, count: 12))])
        chart.xNames = (1...12).map { "block number \($0)" }
        let few = XMLDocumentReader(chart.svg())?.all("text").filter { $0.text.hasPrefix("block") }.map(\.text)
        chart.width = 2000
        let all = XMLDocumentReader(chart.svg())?.all("text").filter { $0.text.hasPrefix("block") }.map(\.text)
        #expect(
            few == ["block number 1", "block number 5", "block number 9"]
                || few == ["block number 1", "block number 4", "block number 7", "block number 10"])
        #expect(all?.count == 12)
    }

    /// More than two dozen rows are folded away, below bars that show them.
    @Test func longTablesAreFolded() throws {
        let many = (0..<25).map { row("simclr", "metric \($0)", 0.5) }
        #expect(try page(many).all("details").count == 1)
        #expect(try page(Array(many.prefix(24))).all("details").isEmpty)
    }
}
