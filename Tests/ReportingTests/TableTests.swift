import Files
import Foundation
import Testing

@testable import Reporting

@Suite struct TableTests {
    private func transfer(sets: Int) -> TransferTable {
        let described = (0..<sets).map { place in
            TransferTable.DataSet(
                name: "data set \(place)", metric: place == 1 ? "mean-per-class" : "top-1", classes: 10, trainImages: 1000,
                testImages: 500, split: place == 0 ? "held-out fifth" : "test")
        }
        let rows = ["linear", "fine-tuned"].flatMap { block in
            ["simclr", "random init"].map { encoder in
                TransferTable.Row(
                    block: block, encoder: encoder,
                    cells: (0..<sets).map { place in
                        if place == 1, encoder == "random init" { return nil }
                        return EvaluationResult(
                            encoder: encoder, protocolName: "transfer", metric: "\(block) accuracy", value: 0.5 + Double(place) / 100,
                            lower: 0.48 + Double(place) / 100, upper: 0.53 + Double(place) / 100)
                    })
            }
        }
        return TransferTable(sets: described, rows: rows)
    }

    @Test func transferIsATableOfBlocksAndFitsTheTerminal() {
        let few = transfer(sets: 2).text()
        let lines = few.split(separator: "\n").map(String.init)
        #expect(lines[2] == "linear evaluation" && lines[5] == "fine-tuned")
        #expect(lines[3].contains("50.0 ±2.5") && lines[4].contains("–"))
        #expect(few.contains("mean per-class accuracy: data set 1; others: top-1"))
        #expect(few.contains("tested on a fifth of each class: data set 0"))
        // Twelve sets have no room for intervals, but for every number.
        let many = transfer(sets: 12).text()
        #expect(!many.contains("±") && many.contains("61.0"))
        let rows: [Substring] = many.split(separator: "\n")
        #expect(rows.dropLast(2).allSatisfy { $0.count <= 100 })
    }

    @Test func notesOnTransferNameTheirDataSet() {
        var table = transfer(sets: 2)
        table.rows[0].cells[1]?.note = "6 test images are of other classes"
        table.rows[1].cells[0]?.note = "every image is taken for a"
        // Those of random weights are not worth a line.
        let text = table.text()
        #expect(text.contains("data set 1: 6 test images are of other classes") && !text.contains("taken for"))
    }

    private let sweep = SweepTable(
        axes: [.init(name: "training.epochs", values: ["1", "2"]), .init(name: "training.batchSize", values: ["64", "<128>"])],
        measured: "linear top-1", runs: 4,
        rows: [("1", "64", 0.25), ("1", "<128>", 0.5), ("2", "64", 0.75)].map { row in
            SweepTable.Row(
                values: [row.0, row.1], seed: 0, run: "runs/a",
                result: EvaluationResult(encoder: "e", protocolName: "linear", value: row.2))
        })

    @Test func heatMapsHaveANumberInEveryCellThatIsDone() throws {
        let maps = sweep.heatMaps
        #expect(maps.count == 1 && maps[0].values == [[0.25, 0.5], [0.75, nil]])
        let read = try #require(XMLDocumentReader(maps[0].svg()))
        let texts = read.all("text").map(\.text)
        for number in ["25.0", "50.0", "75.0", "64", "<128>"] { #expect(texts.contains(number), "\(number)") }
        let shades = read.all("rect").compactMap { $0.attributes["fill-opacity"].flatMap(Double.init) }
        // Darker where the value is larger; nothing where there is none.
        #expect(shades.count == 3 && shades == shades.sorted())
        #expect(read.all("title").map(\.text).contains("2, <128>: not done"))
    }

    @Test func sweepsAreATableOfTheLastAxisAcross() {
        let text = sweep.text
        #expect(text.contains("3 of 4 runs are done"))
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines[3].contains("25.0 %") && lines[3].contains("50.0 %") && lines[4].contains("–"))
    }

    @Test func qualityShowsWhatEachMeasureWouldChoose() {
        let rows = (1...3).map { epoch in
            QualityTable.Row(
                checkpoint: "epoch-\(epoch)", epoch: epoch, values: ["rankme": Double(10 * epoch), "consistency": 0.5], accuracy: 0.4,
                lower: 0.35, upper: 0.45)
        }
        let table = QualityTable(
            measures: ["rankme", "consistency"], rows: rows, rankCorrelations: ["rankme": 0.5], choices: ["rankme": "epoch-3"], images: 9,
            views: 2)
        let lines = table.text.split(separator: "\n").map(String.init)
        #expect(lines[0].contains("RankMe") && lines[2].contains("40.0 % (35.0–45.0)") && lines[2].contains("50.0 %"))
        #expect(lines[5].contains("0.5") && lines[6].contains("epoch-3") && lines[6].contains("–"))
    }
}
