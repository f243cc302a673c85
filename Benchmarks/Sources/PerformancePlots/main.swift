// Draws what compare.py measured, as ratios to the peer, and what breakdown.py sampled.
//
//     performance-plots Benchmarks/results docs [Recipes/measured.csv]
//
// reads performance.csv, breakdown.csv and layers.csv of the first folder and writes performance-speed.svg, performance-memory.svg,
// performance-step.svg and layers.svg into the second; and methods.svg of what method_table.py measured.
import Fovea
import Foundation
import Reporting

guard (3...4).contains(CommandLine.arguments.count) else { fatalError("performance-plots RESULTS DOCS [MEASURED]") }
let (results, docs) = (CommandLine.arguments[1], CommandLine.arguments[2])

func rows(_ file: String) throws -> [[String: String]] {
    let records = try CSV.parse(String(contentsOfFile: file, encoding: .utf8))
    return records.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(records[0], $0)) }
}

func write(_ chart: BarChart, _ file: String) throws {
    var chart = chart
    chart.standalone = true
    try chart.svg().write(toFile: "\(docs)/\(file)", atomically: true, encoding: .utf8)
}

if CommandLine.arguments.count == 4 {
    let methods = try rows(CommandLine.arguments[3])
    let families = methods.reduce(into: [String]()) { if !$0.contains($1["family"]!) { $0.append($1["family"]!) } }
    func points(_ row: [String: String], _ key: String) -> Double? { row[key].flatMap(Double.init).map { 100 * $0 } }
    try write(
        BarChart(
            title: "kNN accuracy over random encoders, points", unit: "paired 95 % intervals; small recipes, CIFAR-10",
            groups: families.map { family in
                BarChart.Group(
                    name: family,
                    bars: methods.filter { $0["family"] == family }.sorted { ($0["method"]!, $0["seed"]!) < ($1["method"]!, $1["seed"]!) }
                        .compactMap { row in
                            guard let gain = points(row, "knn_gain") else { return nil }
                            let low = points(row, "knn_gain_low")
                            return BarChart.Bar(
                                name: row["seed"] == "0" ? row["method"]! : "\(row["method"]!), seed \(row["seed"]!)", value: gain,
                                lower: low, upper: points(row, "knn_gain_high"), isEmphasised: low.map { $0 > 0 } ?? false)
                        })
            }), "methods.svg")
}

if FileManager.default.fileExists(atPath: "\(results)/layers.csv") {
    let layers = try rows("\(results)/layers.csv")
    let networks = layers.reduce(into: [String]()) { if !$0.contains($1["backbone"]!) { $0.append($1["backbone"]!) } }
    func percent(_ row: [String: String], _ key: String) -> Double { 100 * Double(row[key]!)! }
    try write(
        BarChart(
            title: "Linear accuracy of every layer, %", unit: "RotNet, beside random encoders; 95 % intervals, CIFAR-10",
            groups: networks.map { network in
                let own = layers.filter { $0["backbone"] == network && $0["encoder"] == "RotNet" }
                return BarChart.Group(
                    name: network,
                    bars: own.flatMap { row -> [BarChart.Bar] in
                        let random = layers.first {
                            $0["backbone"] == network && $0["layer"] == row["layer"] && $0["encoder"] == "random"
                        }!
                        return [
                            BarChart.Bar(
                                name: row["layer"]!, value: percent(row, "accuracy"), lower: percent(row, "lower"),
                                upper: percent(row, "upper"), isEmphasised: true),
                            BarChart.Bar(name: "\(row["layer"]!), random", value: percent(random, "accuracy")),
                        ]
                    })
            }), "layers.svg")
}

let measured = try rows("\(results)/performance.csv")
let groups = [
    ("Pretraining", ["simclr", "byol", "swav"]), ("Start", ["start"]), ("Views", ["views", "files"]), ("Embedding", ["embed"]),
    ("Neighbours", ["neighbours"]),
]

func chart(_ title: String, _ unit: String, _ bar: ([String: String]) -> BarChart.Bar?) -> BarChart {
    BarChart(
        title: title, unit: unit,
        groups: groups.map { group in
            let own = measured.filter { row in group.1.contains { row["case"]!.hasPrefix($0 + "-") } }
            return BarChart.Group(name: group.0, bars: own.compactMap(bar))
        })
}

try write(
    chart("Speed against the peer", "times as fast; whiskers: slowest and fastest pair") { row in
        guard let ratio = row["ratio"].flatMap(Double.init) else { return nil }
        return BarChart.Bar(
            name: row["case"]!, value: ratio, lower: row["ratio_low"].flatMap(Double.init), upper: row["ratio_high"].flatMap(Double.init),
            isEmphasised: ratio >= 1)
    }, "performance-speed.svg")
try write(
    chart("Peak memory against the peer", "share of the peer's proportional set size, process tree") { row in
        guard let ratio = row["memory_ratio"].flatMap(Double.init) else { return nil }
        return BarChart.Bar(name: row["case"]!, value: ratio, isEmphasised: ratio <= 1)
    }, "performance-memory.svg")

guard FileManager.default.fileExists(atPath: "\(results)/breakdown.csv") else { exit(0) }
let sampled = try rows("\(results)/breakdown.csv")
let versions = sampled.reduce(into: [String]()) { if !$0.contains($1["version"]!) { $0.append($1["version"]!) } }
try write(
    BarChart(
        title: "Where a step's processor time goes", unit: "seconds of both cores for one step of SimCLR, ResNet-18, 32 px, batch 128",
        groups: versions.map { version in
            BarChart.Group(
                name: version,
                bars: sampled.filter { $0["version"] == version }.map {
                    BarChart.Bar(name: $0["part"]!, value: Double($0["seconds_per_step"]!)!, isEmphasised: $0["part"]!.hasPrefix("conv"))
                })
        }), "performance-step.svg")
