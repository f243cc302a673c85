import Files
import Testing

@testable import Reporting

@Suite struct MetricTableTests {
    @Test func metricCellsThatAreNoNumbersAreGaps() {
        let table = MetricTable(records: [["epoch", " loss "], ["1", "2.5"], ["2", "nan"], ["3", ""], ["4"], ["5", "-inf"]])
        #expect(table.columns == ["epoch", "loss"])
        #expect(table.values("loss") == [2.5, nil, nil, nil, nil])
        #expect(table.notFinite.map(\.column) == ["loss"])
        #expect(table.notFinite.map(\.rows) == [2])
        #expect(table.values("absent") == nil)
    }
}
