public import Files

extension EvaluationDifference {
    /// Such as `kNN: simclr is 11.7 points above random encoder (95 % interval 9.8 to 13.5)`.
    public var sentence: String {
        let isShare = EvaluationResult.isShare(metric)
        func text(_ value: Double) -> String { (isShare ? NumberStyle.percent : .plain).bareText(value) }
        let title = EvaluationResult.title(ofProtocol: protocolName)
        let measured = metric == "top-1" ? title : "\(title) \(metric)"
        let distance = "\(text(abs(value)))\(isShare ? " points" : "") \(value < 0 ? "below" : "above")"
        let certainty = lower <= 0 && upper >= 0 ? "; the interval holds 0: not shown to differ" : ""
        return "\(measured): \(encoder) is \(distance) \(baseline) (95 % interval \(text(lower)) to \(text(upper))\(certainty))"
    }
}
