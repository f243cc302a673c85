import Testing

@testable import Reporting

/// A small chart, byte for byte. It was looked at in a browser; a change of a chart's looks must be looked at again.
@Suite struct GoldenChartTests {
    @Test func smallLineChart() {
        var chart = LineChart(title: "Loss", series: [.init(name: "total", x: [1, 2, 3, 4], y: [4, 2, nil, 1])])
        (chart.width, chart.height) = (200, 140)
        #expect(chart.svg() == Self.golden)
    }

    static let golden = """
        <svg xmlns="http://www.w3.org/2000/svg" class="chart line" viewBox="0 0 200 140" role="img" aria-label="Loss" \
        font-family="system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif" font-size="12" \
        fill="currentColor">
        <text x="0" y="14" font-size="13" font-weight="600">Loss</text>
        <line x1="16.93" x2="186" y1="106" y2="106" stroke="currentColor" stroke-opacity="0.35"/><text x="9.93" y="110" \
        text-anchor="end" font-size="11" opacity="0.75">0</text>
        <line x1="16.93" x2="186" y1="70" y2="70" stroke="currentColor" stroke-opacity="0.13"/><text x="9.93" y="74" \
        text-anchor="end" font-size="11" opacity="0.75">2</text>
        <line x1="16.93" x2="186" y1="34" y2="34" stroke="currentColor" stroke-opacity="0.13"/><text x="9.93" y="38" \
        text-anchor="end" font-size="11" opacity="0.75">4</text>
        <line x1="22.93" x2="22.93" y1="106" y2="110" stroke="currentColor" stroke-opacity="0.4"/><text x="22.93" y="122" \
        text-anchor="middle" font-size="11" opacity="0.75">1</text>
        <line x1="77.29" x2="77.29" y1="106" y2="110" stroke="currentColor" stroke-opacity="0.4"/><text x="77.29" y="122" \
        text-anchor="middle" font-size="11" opacity="0.75">2</text>
        <line x1="131.64" x2="131.64" y1="106" y2="110" stroke="currentColor" stroke-opacity="0.4"/><text x="131.64" y="122" \
        text-anchor="middle" font-size="11" opacity="0.75">3</text>
        <line x1="186" x2="186" y1="106" y2="110" stroke="currentColor" stroke-opacity="0.4"/><text x="186" y="122" \
        text-anchor="middle" font-size="11" opacity="0.75">4</text>
        <text x="186" y="137" text-anchor="end" font-size="11" opacity="0.75">epoch</text>
        <path d="M22.93 34L77.29 70" fill="none" stroke="var(--fovea-1, #2f66c0)" stroke-width="2" stroke-linejoin="round" \
        stroke-linecap="round" stroke-dasharray="none"/>
        <circle cx="22.93" cy="34" r="2.6" fill="var(--fovea-1, #2f66c0)"/>
        <circle cx="77.29" cy="70" r="2.6" fill="var(--fovea-1, #2f66c0)"/>
        <circle cx="186" cy="88" r="2.6" fill="var(--fovea-1, #2f66c0)"/>
        <circle cx="22.93" cy="34" r="8" fill="transparent"><title>epoch 1: 4</title></circle>
        <circle cx="77.29" cy="70" r="8" fill="transparent"><title>epoch 2: 2</title></circle>
        <circle cx="186" cy="88" r="8" fill="transparent"><title>epoch 4: 1</title></circle>
        </svg>
        """
}
