import Testing

@testable import Reporting

@Suite struct TicksTests {
    @Test(arguments: [
        (0.0, 1.0, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]), (0, 7, 4, [0, 2, 4, 6]), (-3, 12, 3, [0, 5, 10]),
        (0.21, 0.29, 4, [0.22, 0.24, 0.26, 0.28]),
        (1200, 9800, 4, [5000]),
    ])
    func linearTicksAreRoundNumbersInside(lower: Double, upper: Double, count: Int, expected: [Double]) {
        let ticks = Ticks.linear(from: lower, to: upper, about: count)
        #expect(ticks.values.count == expected.count)
        for (value, wanted) in zip(ticks.values, expected) { #expect(abs(value - wanted) < 1e-12 * max(1, abs(wanted))) }
    }

    @Test func tenthsDoNotDrift() {
        let ticks = Ticks.linear(from: 0, to: 0.5, about: 5)
        #expect(ticks.values.map { ticks.label($0) } == ["0.0", "0.1", "0.2", "0.3", "0.4", "0.5"])
        #expect(ticks.values[3] == 3 * 0.1)
    }

    @Test func epochsHaveNoFractions() {
        #expect(Ticks.linear(from: 1, to: 3, about: 6, whole: true).values == [1, 2, 3])
        #expect(Ticks.linear(from: 0.5, to: 1.5, about: 6, whole: true).values == [1])
    }

    @Test func logarithmicTicksArePowersOfTen() {
        #expect(Ticks.logarithmic(from: 1, to: 1000, about: 5).values == [1, 10, 100, 1000])
        #expect(Ticks.logarithmic(from: 1, to: 30, about: 5).values == [1, 2, 5, 10, 20])
        // Less than a decade has too few of them.
        #expect(Ticks.logarithmic(from: 3, to: 4, about: 4).values.count >= 3)
    }

    @Test func manyDecadesAreThinnedOut() {
        #expect(Ticks.logarithmic(from: 1e-12, to: 1e12, about: 5).values.count <= 6)
    }

    @Test func labelsHaveTheDecimalsTheStepNeeds() {
        #expect(Ticks(values: [], step: 0.05).label(0.3) == "0.30")
        #expect(Ticks(values: [], step: 0.05).label(0.3, style: .percent) == "30 %")
        #expect(Ticks(values: [], step: 5000).label(15000) == "15,000")
        #expect(Ticks(values: [], step: 0).label(0.001) == "0.001")
        #expect(Ticks(values: [], step: 1e-6).label(3e-6) == "3e-6")
        #expect(Ticks(values: [], step: 0.1).label(-0.0) == "0.0")
    }

    @Test(arguments: [(0.0, 0.0), (1, 1), (-1e308, 1e308), (5, 1)])
    func degenerateRangesEndWithFewTicks(lower: Double, upper: Double) {
        #expect(Ticks.linear(from: lower, to: upper, about: 5).values.count <= 20)
    }
}

@Suite struct ScaleTests {
    private func scale(_ values: [Double], _ kind: Scale.Kind = .linear, zero: Bool = false) -> Scale {
        Scale.rounded(values, kind, about: 4, includingZero: zero, start: 100, end: 0)
    }

    @Test func valuesFallWhereTheyBelong() {
        let scale = Scale(lower: 0, upper: 10, start: 100, end: 0)
        #expect([0, 2.5, 10].map(scale.position) == [100, 75, 0])
    }

    @Test func decadesAreEquallyFarApart() {
        let scale = Scale(lower: 1, upper: 100, start: 0, end: 200, kind: .logarithmic)
        #expect(abs(scale.position(10) - 100) < 1e-9)
    }

    @Test func rangesAreWidenedToTicks() {
        let scale = scale([1.2, 5.1])
        #expect(scale.lower == 1 && scale.upper == 6)
        #expect(scale.ticks(about: 4).values == [1, 2, 3, 4, 5, 6])
        #expect(self.scale([2, 5], zero: true).lower == 0)
    }

    @Test func rangesThatAreRoundAlreadyStay() {
        let scale = scale([0, 1])
        #expect(scale.lower == 0 && scale.upper == 1)
    }

    @Test(arguments: [[], [3], [0, 0], [.nan], [.infinity, 1], [1e300, 2], [0.1 + 0.2, 0.3]] as [[Double]])
    func rangesAlwaysHaveHeight(values: [Double]) {
        for kind in [Scale.Kind.linear, .logarithmic] {
            let scale = scale(values, kind)
            #expect(scale.lower < scale.upper)
            #expect(scale.position(scale.lower).isFinite && scale.position(scale.upper).isFinite)
        }
    }
}
