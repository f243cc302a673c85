internal import Files

extension EvaluationResult {
    /// Whether the metric is a share of one, which is shown in per cent. Told by its name alone: a guess from the value would
    /// show two rows of one column in two units.
    var isShare: Bool {
        let name = metric.lowercased()
        return name.hasPrefix("top-") || name.contains("accuracy") || name.hasPrefix("precision") || name.hasPrefix("recall")
            || ["map", "miou", "purity", "f1"].contains(name)
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
