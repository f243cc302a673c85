internal import Embeddings
internal import Files
internal import Views

/// What was found of one representation: of a random encoder, of every initialisation.
struct Measurement {
    let name: String
    /// Scores of each initialisation, one where there is one.
    var runs: [[Score]]

    /// Whether rows are means over initialisations, be it one.
    var isRandom: Bool { name == "random encoder" }

    mutating func addRelative(to baseline: Measurement, _ protocols: [any EvaluationProtocol]) {
        for index in runs.indices {
            runs[index] += protocols.flatMap { $0.relative(runs[index], to: baseline.runs, baseline.name) }
        }
    }

    func results(seeds: Int) -> [EvaluationResult] {
        let shown = runs.map { $0.filter { $0.detail == nil } }
        return isRandom ? Score.averaged(shown, name) : shown[0].map { $0.result(name, seeds: seeds > 1 ? seeds : nil) }
    }
}

extension Measurement {
    /// Numbers of single classes: those with a detail, but for robustness, which has a table of another form.
    func classes() -> [EvaluationResult] {
        let shown = runs.map { $0.filter { $0.detail != nil && $0.protocolName != RobustnessProtocol.name } }
        return isRandom ? Score.averaged(shown, name) : shown[0].map { $0.result(name) }
    }
}

extension RobustnessTable {
    /// nil where robustness was not measured.
    init?(_ measurements: [Measurement], imageSize: Int) {
        var clean: [Clean] = []
        var rows: [Row] = []
        var (severities, images) = (Set<Int>(), 0)
        for measurement in measurements {
            func mean(_ body: (Score) -> Bool) -> Double? {
                let values = measurement.runs.compactMap { run in run.first(where: body)?.value }
                return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
            }
            let details = measurement.runs[0].filter { $0.protocolName == RobustnessProtocol.name && $0.detail != nil }
            images = max(images, details.first?.testImages ?? 0)
            severities.formUnion(details.map { $0.detail!.level })
            for series in details.map({ $0.detail!.series }).uniqued {
                if let accuracy = mean({ $0.protocolName == RobustnessProtocol.name && $0.metric == "top-1 clean \(series)" }) {
                    clean.append(.init(encoder: measurement.name, classifier: series, accuracy: accuracy))
                }
                for group in details.filter({ $0.detail!.series == series }).map({ $0.detail!.group }).uniqued {
                    guard let kind = Corruption(rawValue: group) else { continue }
                    let cells = details.filter { $0.detail!.series == series && $0.detail!.group == group }
                    rows.append(
                        .init(
                            encoder: measurement.name, classifier: series, corruption: group, family: kind.family.rawValue,
                            isComparable: kind.isComparable,
                            accuracies: cells.sorted { $0.detail!.level < $1.detail!.level }.compactMap { cell in
                                mean { $0.detail == cell.detail }
                            }))
                }
            }
        }
        guard !rows.isEmpty else { return nil }
        self.init(
            constants: CorruptionTable(size: ImageSize(imageSize)).name, severities: severities.sorted(), clean: clean, rows: rows,
            testImages: images)
    }
}

extension Array where Element: Hashable {
    /// Each element once, in order of appearance.
    fileprivate var uniqued: [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}
