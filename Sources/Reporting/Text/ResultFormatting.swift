internal import Files

extension EvaluationResult {
    /// Whether the metric is a share of one, which is shown in per cent. Told by its name alone: a guess from the value would
    /// show two rows of one column in two units.
    var isShare: Bool { Self.isShare(metric) }

    static func isShare(_ metric: String) -> Bool {
        let name = metric.lowercased()
        // Behind the first word stands of what it is, such as an algorithm.
        let first = String(name.prefix { $0 != " " })
        return name.contains("accuracy") || ["top-", "precision", "recall"].contains { first.hasPrefix($0) }
            || ["map", "miou", "purity", "f1"].contains(first)
    }

    var style: NumberStyle { isShare ? .percent : .plain }

    /// Such as `42.1 %`.
    var valueText: String { style.text(value) }

    /// Such as `40.0–44.2`, in the value's unit; nil where a bound is missing.
    var intervalText: String? {
        guard let lower, let upper else { return nil }
        return "\(style.bareText(lower))–\(style.bareText(upper))"
    }

    /// Such as `42.1 % (40.0–44.2)`.
    var valueAndInterval: String { intervalText.map { "\(valueText) (\($0))" } ?? valueText }

    /// Whether `seeds` counts initialisations.
    var isRandom: Bool { encoder == "random encoder" }

    /// What a 95 % interval can be over.
    enum IntervalBase: String {
        case images = "test images"
        case draws = "draws of the labelled images"
        case seeds
        case initialisations
    }

    /// Nil where there is no interval.
    var intervalBase: IntervalBase? {
        guard intervalText != nil else { return nil }
        let isMean = (seeds ?? 1) > 1
        if isMean, isRandom { return .initialisations }
        if protocolName == "lowshot" { return .draws }
        // A clustering is of all images at once, and the held-out fifth is another under every seed.
        return isMean && (protocolName == "cluster" || split == "held-out fifth") ? .seeds : .images
    }

    var protocolTitle: String { Self.title(ofProtocol: protocolName) }

    static func title(ofProtocol name: String) -> String {
        switch name {
        case "knn": "kNN"
        case "linear": "linear probe"
        case "finetune": "fine-tuned"
        case "mlp": "MLP"
        case "lowshot": "low-shot"
        case "cluster": "clusters"
        case "retrieve": "retrieval"
        case "robust": "robustness"
        default: name
        }
    }
}
