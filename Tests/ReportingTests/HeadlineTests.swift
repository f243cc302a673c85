import Files
import Testing

@testable import Reporting

@Suite struct HeadlineTests {
    private func row(
        _ encoder: String, _ value: Double, _ name: String = "knn", setting: String = "k=20", split: String = "test",
        metric: String = "top-1", half: Double? = nil, train: Int? = nil, test: Int? = 2000
    ) -> EvaluationResult {
        EvaluationResult(
            encoder: encoder, protocolName: name, setting: setting, split: split, metric: metric, value: value,
            lower: half.map { value - $0 }, upper: half.map { value + $0 }, trainImages: train, testImages: test)
    }

    @Test func pointsAreDifferencesInPerCent() {
        let headline = Headline([row("raw pixels", 0.321), row("simclr", 0.419), row("random encoder", 0.302)])
        #expect(headline?.sentence == "kNN 41.9 % on 2,000 test images: 11.7 points above a random encoder, 9.8 above raw pixels")
        #expect(headline?.comparisons.map { ($0.difference * 1000).rounded() } == [117, 98])
    }

    @Test func worseAndEqualAreSaid() {
        let headline = Headline([
            row("simclr", 0.3), row("random encoder", 0.3), row("raw pixels", 0.35), row("supervised", 0.612),
        ])
        #expect(
            headline?.sentence
                == "kNN 30.0 % on 2,000 test images: level with a random encoder, 5.0 points below raw pixels, "
                + "31.2 below a supervised encoder")
    }

    @Test func kNNBeforeLinearAndTestBeforeValidation() {
        let headline = Headline([
            row("simclr", 0.9, "linear"), row("simclr", 0.8, split: "validation"), row("simclr", 0.4), row("simclr", 0.7, metric: "top-5"),
        ])
        #expect(headline?.result.value == 0.4)
        #expect(headline?.sentence == "kNN 40.0 % on 2,000 test images, with no baseline beside it")
        #expect(Headline([row("simclr", 0.5, "linear")])?.sentence.hasPrefix("Linear probe 50.0 %") == true)
    }

    @Test func onlyTheSameMeasurementIsCompared() {
        let results = [
            row("simclr", 0.5, train: 10000), row("random encoder", 0.3, split: "validation"), row("random encoder", 0.3, test: 500),
            row("raw pixels", 0.3, train: 100), row("supervised", 0.3, "linear"),
        ]
        #expect(Headline(results)?.comparisons.isEmpty == true)
    }

    @Test func aSettingOfItsOwnCountsOnlyWithoutAChoice() {
        #expect(Headline([row("simclr", 0.5), row("raw pixels", 0.3, setting: "k=5")])?.comparisons.count == 1)
        let two = [row("simclr", 0.5), row("raw pixels", 0.3, setting: "k=5"), row("raw pixels", 0.4, setting: "k=1")]
        #expect(Headline(two)?.comparisons.isEmpty == true)
    }

    @Test func overlappingIntervalsAreAWarning() {
        let near = Headline([row("simclr", 0.33, half: 0.02), row("raw pixels", 0.3, half: 0.02)])
        #expect(near?.caution == "By its 95 % interval, the difference to raw pixels may be chance.")
        let far = Headline([row("simclr", 0.4, half: 0.02), row("raw pixels", 0.3, half: 0.02)])
        #expect(far != nil && far?.caution == nil)
        #expect(Headline([row("simclr", 0.33), row("raw pixels", 0.3)])?.comparisons.first?.mayBeChance == nil)
    }

    /// Overlapping intervals of their own say less than the interval of the difference on the same images.
    @Test func thePairedIntervalDecides() {
        let rows = [row("simclr", 0.33, half: 0.02), row("raw pixels", 0.3, half: 0.02)]
        func caution(_ lower: Double, _ upper: Double, metric: String = "top-1") -> String? {
            let difference = EvaluationDifference(
                encoder: "simclr", baseline: "raw pixels", protocolName: "knn", metric: metric, value: 0.03, lower: lower, upper: upper)
            return Headline(rows, differences: [difference])?.caution
        }
        #expect(caution(0.01, 0.05) == nil)
        #expect(caution(-0.01, 0.05) != nil)
        #expect(caution(0.01, 0.05, metric: "top-5") != nil, "of another metric")
    }

    /// As `fovea compare` leaves them: the first encoder against the others.
    @Test func encodersWithoutABaselineAreComparedWithEachOther() {
        let rows = [row("b", 0.4, half: 0.02), row("a", 0.37, half: 0.02), row("c", 0.2, half: 0.02)]
        let difference = EvaluationDifference(
            encoder: "b", baseline: "a", protocolName: "knn", metric: "top-1", value: 0.03, lower: -0.01, upper: 0.07)
        let headline = Headline(rows, differences: [difference])
        #expect(headline?.sentence == "b, kNN 40.0 % on 2,000 test images: 3.0 points above a, 20.0 above c")
        #expect(headline?.caution == "By its 95 % interval, the difference to a may be chance.")
        // Beside a baseline another encoder is no news of this one.
        #expect(Headline(rows + [row("raw pixels", 0.3)])?.sentence == "kNN 40.0 % on 2,000 test images: 10.0 points above raw pixels")
    }

    @Test func theRunsOwnEncoderLeads() {
        let results = [row("byol", 0.6), row("simclr", 0.4), row("supervised", 0.7), row("random encoder", 0.2)]
        #expect(Headline(results, method: "simclr")?.result.value == 0.4)
        #expect(Headline(results)?.result.encoder == "byol")
        // A supervised run is no baseline of itself.
        #expect(Headline(results, method: "supervised")?.sentence == "kNN 70.0 % on 2,000 test images: 50.0 points above a random encoder")
    }

    @Test func nothingToSayWithoutAShareOfTheEncoder() {
        #expect(Headline([]) == nil)
        #expect(Headline([row("random encoder", 0.2)]) == nil)
        #expect(Headline([row("simclr", 0.2, metric: "rmse")]) == nil)
    }
}
