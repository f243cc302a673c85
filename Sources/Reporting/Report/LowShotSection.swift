internal import Files

/// Accuracy with k labels of each class: a chart for each classifier, with a curve for each encoder.
struct LowShotSection {
    let section: ReportSection?

    init(_ contents: RunContents) {
        let rows = Self.curves(contents.results ?? [])
        guard !rows.isEmpty else {
            section = nil
            return
        }
        let encoders = rows.map(\.result.encoder).uniqued()
        let found = rows.map(\.classifier).uniqued().map { classifier in
            AccuracyCurves(
                title: Self.title(classifier), unit: "accuracy", counted: "labels per class",
                curves: encoders.map { encoder in
                    AccuracyCurves.Curve(name: encoder, points: Self.points(rows.filter { $0.classifier == classifier }, encoder))
                }.filter { !$0.points.isEmpty })
        }
        var charts = found.map(\.chart)
        let extent = charts.flatMap { $0.series.flatMap(\.extent) }
        // One scale, so that the classifiers can be compared as well.
        for index in charts.indices { charts[index].roomFor = extent }
        let figures: Markup =
            charts.count > 1
            ? #"<div class="charts">\#(charts.map { "<figure>\($0.markup())</figure>\n" as Markup })</div>"#
            : charts[0].figures(height: 300)
        let images = rows.compactMap(\.result.testImages).max().map { " on \(NumberStyle.count($0)) test images" } ?? ""
        section = ReportSection(
            id: "lowshot", title: "Few labels",
            explanation: """
                Accuracy\(images) of classifiers that know k labelled images of each class, on features as they are. Lines and brackets \
                are 95 % intervals over draws of the labelled images, of several random encoders over these.
                """,
            content: "\(figures)\(AccuracyCurves.table(found, named: "Encoder"))")
    }

    struct Row {
        var result: EvaluationResult
        var shots: Int
        var classifier: String
    }

    /// The low-shot rows among results, as far as they are curves: of one number of labels they are bars like others.
    static func curves(_ results: [EvaluationResult]) -> [Row] {
        let rows = results.compactMap { result -> Row? in
            guard result.protocolName == "lowshot", let parts = result.metric.wholeMatch(of: #/top-1 k=(\d{1,9}) (.+)/#),
                let shots = Int(parts.1), shots > 0
            else { return nil }
            return Row(result: result, shots: shots, classifier: String(parts.2))
        }
        return Set(rows.map(\.shots)).count > 1 ? rows : []
    }

    /// The last of equal rows: an evaluation that was done again.
    private static func points(_ rows: [Row], _ encoder: String) -> [AccuracyCurves.Point] {
        let own = rows.filter { $0.result.encoder == encoder }
        return Set(own.map(\.shots)).sorted().compactMap { shots in
            own.last { $0.shots == shots }.map { row in
                AccuracyCurves.Point(
                    labels: shots, value: row.result.value, lower: row.result.lower, upper: row.result.upper, note: row.result.note)
            }
        }
    }

    private static func title(_ classifier: String) -> String {
        switch classifier {
        case "logistic": "Logistic regression"
        case "centroid": "Nearest class mean"
        case "svm": "Linear SVM"
        default: classifier
        }
    }
}
