import Foundation
import Testing

@testable import Reporting

@Suite struct ChartTests {
    private let hostile = "<script>\"&'\u{1}"

    private func line(_ y: [Double?]) -> LineChart {
        LineChart(title: "Loss", series: [.init(name: "total", x: y.indices.map { Double($0 + 1) }, y: y)])
    }

    private func path(_ chart: LineChart) throws -> String {
        try #require(XMLDocumentReader(chart.svg())).all("path").first?.attributes["d"] ?? ""
    }

    @Test func hostileNamesLeaveEveryChartWellFormed() throws {
        var scatter = ScatterPlot(
            title: hostile, unit: hostile, series: [hostile, "b"], points: [.init(x: 0, y: 1, series: 0, title: hostile, key: 3)])
        scatter.standalone = true
        let texts = [
            LineChart(
                title: hostile, unit: hostile,
                series: [.init(name: hostile, x: [1, 2], y: [1, 2]), .init(name: hostile, x: [], y: [])]
            ).svg(),
            BarChart(title: hostile, groups: [.init(name: hostile, bars: [.init(name: hostile, value: 1, detail: hostile)])]).svg(),
            scatter.svg(),
        ]
        for text in texts {
            let document = try #require(XMLDocumentReader(text), "not well-formed: \(text)")
            #expect(document.all("script").isEmpty)
            #expect(document.all("svg").count == 1)
            #expect(document.all("svg").first?.attributes["aria-label"] == "<script>\"&'\u{FFFD}")
        }
    }

    @Test func missingValuesAreGaps() throws {
        #expect(try path(line([1, 2, 3])).filter { $0 == "M" }.count == 1)
        #expect(try path(line([1, 2, nil, 3, 4])).filter { $0 == "M" }.count == 2)
        #expect(try path(line([1, 2, .nan, 3, 4])).filter { $0 == "M" }.count == 2)
        // A value alone is no line, but it is seen.
        let alone = try #require(XMLDocumentReader(line([nil, 2, nil]).svg()))
        #expect(alone.all("path").isEmpty)
        #expect(alone.all("circle").contains { $0.attributes["fill"]?.contains("fovea-1") == true })
    }

    @Test func zeroIsAGapOnALogarithmicAxis() throws {
        var chart = line([100, 10, 0, 5, 1])
        #expect(try path(chart).filter { $0 == "M" }.count == 1)
        chart.logarithmic = true
        #expect(try path(chart).filter { $0 == "M" }.count == 2)
        #expect(chart.svg().contains("log scale"))
    }

    @Test func pointsTellTheirValues() throws {
        let titles = try #require(XMLDocumentReader(line([1.25, 0.5]).svg())).all("title").map(\.text)
        #expect(titles == ["epoch 1: 1.25", "epoch 2: 0.5"])
    }

    @Test func largerValuesAreHigherUp() throws {
        let numbers = try path(line([1, 9])).split { "ML ".contains($0) }.compactMap { Double($0) }
        #expect(numbers.count == 4)
        #expect(numbers[0] < numbers[2] && numbers[1] > numbers[3])
    }

    @Test func fewCurvesAreNamedAtTheirEndsAndManyInALegend() throws {
        func chart(_ count: Int) -> LineChart {
            LineChart(title: "t", series: (0..<count).map { .init(name: "s\($0)", x: [1, 2], y: [Double($0), Double($0)]) })
        }
        for count in [2, 9] {
            let texts = try #require(XMLDocumentReader(chart(count).svg())).all("text").map(\.text)
            for index in 0..<count { #expect(texts.filter { $0 == "s\(index)" }.count == 1) }
        }
    }

    @Test func directLabelsDoNotCover() {
        let places = LineChart.spread([50, 51, 52, 10], apart: 14, from: 0, to: 70)
        let sorted = places.sorted()
        #expect(zip(sorted, sorted.dropFirst()).allSatisfy { $1 - $0 >= 14 })
        #expect(sorted.last! <= 70)
        #expect(places[0] < places[1] && places[1] < places[2])
    }

    @Test func barsAreAsLongAsTheirValuesAndIntervalsSurroundTheirEnds() throws {
        let chart = BarChart(
            title: "t",
            groups: [.init(name: "g", bars: [.init(name: "a", value: 0.4, lower: 0.3, upper: 0.5), .init(name: "b", value: 0.2)])])
        let document = try #require(XMLDocumentReader(chart.svg()))
        let bars = document.all("rect").map { (x: Double($0.attributes["x"]!)!, width: Double($0.attributes["width"]!)!) }
        #expect(bars.count == 2)
        #expect(abs(bars[0].width - 2 * bars[1].width) < 0.05)
        let whisker = try #require(document.all("path").first?.attributes["d"])
        let numbers = whisker.split { !"0123456789.-".contains($0) }.compactMap { Double($0) }
        #expect(abs(numbers[0] - (bars[0].x + bars[0].width * 0.75)) < 0.05)
        #expect(abs(numbers[2] - (bars[0].x + bars[0].width * 1.25)) < 0.05)
        #expect(document.all("path").count == 1)
    }

    @Test func aMapHasOneUnitOnBothAxes() throws {
        let points: [ScatterPlot.Point] = [
            .init(x: 0, y: 0, series: 1), .init(x: 10, y: 0, series: 1), .init(x: 0, y: 10, series: 1), .init(x: .nan, y: 0, series: 0),
        ]
        let plot = ScatterPlot(title: "t", series: ["a", "b"], points: points)
        let marks = try #require(XMLDocumentReader(plot.svg())).all("path").compactMap { $0.attributes["d"] }.suffix(3).map { path in
            path.split { "MLZ ".contains($0) }.prefix(2).compactMap { Double($0) }
        }
        #expect(marks.count == 3)
        #expect(abs((marks[1][0] - marks[0][0]) - (marks[0][1] - marks[2][1])) < 0.05)
        #expect(marks[1][0] - marks[0][0] > 100)
    }

    @Test func emptyChartsAreStillCharts() {
        #expect(XMLDocumentReader(line([]).svg()) != nil)
        #expect(XMLDocumentReader(line([nil, .infinity, 1e200]).svg()) != nil)
        #expect(XMLDocumentReader(BarChart(title: "t", groups: []).svg()) != nil)
        #expect(XMLDocumentReader(ScatterPlot(title: "t", series: [], points: []).svg()) != nil)
        #expect(XMLDocumentReader(ScatterPlot(title: "t", series: ["a"], points: [.init(x: 1, y: 1, series: 0)]).svg()) != nil)
        for text in [line([]).svg(), line([3]).svg(), line([2, 2]).svg()] { #expect(!text.contains("nan") && !text.contains("inf")) }
    }

    @Test func coloursStandOutFromThePage() {
        func luminance(_ hex: String) -> Double {
            let value = Int(hex.dropFirst(), radix: 16)!
            let linear = [value >> 16, value >> 8 & 255, value & 255].map { channel -> Double in
                let c = Double(channel) / 255
                return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4)
            }
            return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        }
        for (colors, page) in [(Palette.light, Palette.lightPage), (Palette.dark, Palette.darkPage)] {
            for color in colors {
                let (a, b) = (luminance(color), luminance(page))
                #expect((max(a, b) + 0.05) / (min(a, b) + 0.05) >= 3, "\(color) on \(page)")
            }
        }
    }
}
