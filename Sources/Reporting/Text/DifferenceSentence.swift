public import Files

extension EvaluationDifference {
    /// Such as `kNN: simclr is 11.7 points above random encoder (95 % interval 9.8 to 13.5)`.
    public var sentence: String {
        func points(_ value: Double) -> String { NumberStyle.percent.bareText(value) }
        let title = EvaluationResult.title(ofProtocol: protocolName)
        let side = value < 0 ? "below" : "above"
        let certainty = lower <= 0 && upper >= 0 ? "; the interval holds 0: not shown to differ" : ""
        return "\(title): \(encoder) is \(points(abs(value))) points \(side) \(baseline) "
            + "(95 % interval \(points(lower)) to \(points(upper))\(certainty))"
    }
}
