import Files
import Testing

@testable import Reporting

@Suite struct NumberStyleTests {
    @Test func percentagesAndNumbers() {
        #expect(NumberStyle.percent.text(0.4213) == "42.1 %")
        #expect(NumberStyle.percent.bareText(-0.00001) == "0.0")
        #expect(NumberStyle.plain.text(0.00012) == "0.00012")
        #expect(NumberStyle.plain.text(0.000012) == "1.2e-5")
        #expect(NumberStyle.plain.text(12345.6) == "12,346")
        #expect(NumberStyle.plain.text(.nan) == "–")
        #expect(NumberStyle.count(1_234_567) == "1,234,567")
        #expect(NumberStyle.count(-123) == "-123")
    }

    @Test(arguments: [
        (0.84, "0.8 s"), (45.2, "45 s"), (320.5, "5 min 21 s"), (3600, "1 h"), (8040, "2 h 14 min"), (90_061, "1 d 1 h"), (-1, "–"),
    ])
    func durationsInTheirTwoLargestUnits(seconds: Double, text: String) {
        #expect(NumberStyle.duration(seconds: seconds) == text)
    }

    @Test func memory() {
        #expect(NumberStyle.memory(megabytes: 812.4) == "812 MB")
        #expect(NumberStyle.memory(megabytes: 1612) == "1.6 GB")
    }
}

@Suite struct ResultFormattingTests {
    @Test(arguments: [
        ("top-1", true), ("top-1 k=5 svm", true), ("linear accuracy, pets", true), ("purity", true), ("purity agglomerative", true),
        ("mAP", true), ("recall@1", true), ("NMI", false), ("NMI agglomerative", false), ("mCE linear", false), ("rmse of purity", false),
    ])
    func sharesAreToldByTheName(metric: String, isShare: Bool) {
        let row = EvaluationResult(encoder: "a", protocolName: "cluster", metric: metric, value: 0.48)
        #expect(row.valueText == (isShare ? "48.0 %" : "0.48"))
    }

    /// Transfer has a difference for each data set and block, of the same protocol and encoders.
    @Test func differencesSayWhatWasMeasured() {
        func sentence(_ name: String, _ metric: String, _ value: Double, half: Double = 0.01) -> String {
            EvaluationDifference(
                encoder: "a", baseline: "random init", protocolName: name, metric: metric, value: value, lower: value - half,
                upper: value + half
            ).sentence
        }
        #expect(
            sentence("transfer", "linear accuracy, pets", 0.117)
                == "transfer linear accuracy, pets: a is 11.7 points above random init (95 % interval 10.7 to 12.7)")
        #expect(sentence("transfer", "fine-tuned accuracy, cars", -0.02).hasPrefix("transfer fine-tuned accuracy, cars: a is 2.0 points b"))
        #expect(sentence("knn", "top-1", 0.117).hasPrefix("kNN: a is 11.7 points above random init"))
        // No share has points.
        #expect(sentence("cluster", "NMI", 0.25).hasPrefix("clusters NMI: a is 0.25 above random init (95 % interval 0.24 to 0.26)"))
        #expect(sentence("knn", "top-1", 0.005).hasSuffix("(95 % interval -0.5 to 1.5; the interval holds 0: not shown to differ)"))
    }

    @Test func paragraphsFitTheTerminal() {
        let text = "kNN: an encoder of a long name is 11.7 points above another one (95 % interval 9.8 to 13.5)"
        #expect(Paragraph.text(text) == text)
        let lines = Paragraph.text(text, width: 60).split(separator: "\n").map(String.init)
        #expect(lines.count == 2 && lines.allSatisfy { DisplayWidth.of($0) <= 60 } && lines[1].hasPrefix("  "))
        #expect(lines[0] + String(lines[1].dropFirst()) == text)
        // Paths have no spaces to break at.
        let path = String(repeating: "runs/猫", count: 40)
        #expect(Paragraph.text(path, width: 30).split(separator: "\n").allSatisfy { DisplayWidth.of(String($0)) <= 30 })
        #expect(!Paragraph.text("a\u{1B}[2J").contains("\u{1B}"))
    }
}

@Suite struct TextTableTests {
    @Test func numbersStandRightAndWordsLeft() {
        let table = TextTable(["encoder", "kNN"], rows: [["simclr", "42.1 %"], ["raw pixels", "9.8 %"], ["supervised", "–"]])
        #expect(
            table.render() == """
                encoder        kNN
                ──────────  ──────
                simclr      42.1 %
                raw pixels   9.8 %
                supervised       –
                """)
    }

    @Test func wordsGiveWayBeforeNumbers() {
        let table = TextTable(["name", "value"], rows: [[String(repeating: "x", count: 60), "1234567"]], maximumWidth: 30)
        let lines = table.render().split(separator: "\n")
        #expect(lines[2] == "\(String(repeating: "x", count: 20))…  1234567")
    }

    @Test func longCellsGoOnInTheNextLine() {
        var table = TextTable(
            ["name", "what it says"], rows: [["a", "one two three four"], ["b", "abcdefghijklmnop qr"]], maximumWidth: 15)
        table.wraps = true
        #expect(
            table.render() == """
                name  what it
                      says
                ────  ─────────
                a     one two
                      three
                      four
                b     abcdefghi
                      jklmnop
                      qr
                """)
        table.maximumWidth = .max
        #expect(table.render().split(separator: "\n").count == 4 && table.render().contains("b     abcdefghijklmnop qr"))
    }

    @Test(arguments: [1, 3, 40])
    func noLineIsWiderThanAsked(columns: Int) {
        let row = (0..<columns).map { "\($0 * 1111) wörter 猫猫猫猫猫猫猫猫猫猫猫猫" }
        let table = TextTable(row, rows: [row, ["short"]], maximumWidth: 100)
        for line in table.render().split(separator: "\n") { #expect(line.reduce(0) { $0 + DisplayWidth.of($1) } <= 100) }
    }

    @Test func wideCharactersKeepColumnsAligned() {
        let lines = TextTable(["label", "n"], rows: [["猫", "1"], ["cat", "22"]]).render().split(separator: "\n")
        #expect(lines[2] == "猫      1")
        #expect(lines[3] == "cat    22")
    }

    @Test func namesCannotSteerTheTerminal() {
        let text = TextTable(["name"], rows: [["a\u{1B}[2Jb\nc"]]).render()
        #expect(!text.contains("\u{1B}"))
        #expect(text.split(separator: "\n").count == 3)
    }

    @Test func shortRowsAreFilledUp() {
        #expect(TextTable(["a", "b"], rows: [["x"]]).render() == "a  b\n─  ─\nx")
    }
}

@Suite struct ResultsPivotTests {
    private func row(
        _ encoder: String, _ name: String, _ setting: String?, _ value: Double, metric: String = "top-1", split: String = "test"
    ) -> EvaluationResult {
        EvaluationResult(
            encoder: encoder, protocolName: name, setting: setting, split: split, metric: metric, value: value, lower: value - 0.02,
            upper: value + 0.021)
    }

    @Test func encodersByProtocols() {
        let pivot = ResultsPivot([
            row("simclr", "knn", "k=20", 0.421), row("raw pixels", "knn", "k=20", 0.321),
            row("simclr", "linear", "lr=0.1", 0.5),
        ])
        #expect(
            pivot.text() == """
                encoder               kNN k=20  linear probe lr=0.1
                ──────────  ──────────────────  ───────────────────
                simclr      42.1 % (40.1–44.2)   50.0 % (48.0–52.1)
                raw pixels  32.1 % (30.1–34.2)                    –
                """)
    }

    @Test func settingsChosenForEachEncoderShareAColumn() {
        let chosen = ResultsPivot([row("simclr", "knn", "k=20", 0.4), row("raw pixels", "knn", "k=5", 0.3)])
        #expect(chosen.columns == ["kNN"])
        let several = ResultsPivot([row("simclr", "knn", "k=20", 0.4), row("simclr", "knn", "k=5", 0.3)])
        #expect(several.columns == ["kNN k=20", "kNN k=5"])
    }

    @Test func metricAndSplitAreNamedWhereTheyDiffer() {
        let pivot = ResultsPivot([
            row("simclr", "knn", nil, 0.4), row("simclr", "knn", nil, 0.7, metric: "top-5"),
            row("simclr", "knn", nil, 0.4, split: "train"),
        ])
        #expect(pivot.columns == ["kNN test", "kNN top-5 test", "kNN train"])
    }

    @Test func theLastOfEqualRowsCounts() {
        let pivot = ResultsPivot([row("simclr", "knn", "k=20", 0.1), row("simclr", "knn", "k=20", 0.2)])
        #expect(pivot.cells[0][0]?.value == 0.2)
    }

    @Test func longNamesDoNotPushTheNumbersOut() {
        let pivot = ResultsPivot([row(String(repeating: "x", count: 99), "knn", nil, 0.5), row("b", "linear", nil, 0.25)])
        #expect(pivot.text().contains("\(String(repeating: "x", count: 31))…  50.0 % (48.0–52.1)"))
        #expect(!pivot.text().contains("\n\n"))
    }

    /// Six numbers of shots by three classifiers are 18 columns: one table, encoders across.
    @Test func aProtocolOfManyColumnsIsTurned() {
        let encoders = ["simclr", "random encoder", "raw pixels"]
        let rows = encoders.flatMap { encoder in
            [row(encoder, "knn", nil, 0.3)]
                + (0..<18).map { row(encoder, "lowshot", nil, 0.02 + 0.05 * Double($0), metric: "top-1 k=\($0) logistic") }
        }
        let text = ResultsPivot(rows).text()
        let tables = text.split(separator: "\n\n").map { $0.split(separator: "\n") }
        #expect(tables.map(\.count) == [5, 20])
        #expect(text.split(separator: "\n").allSatisfy { DisplayWidth.of(String($0)) <= 100 })
        #expect(tables[1][0].contains("random encoder") && tables[1][7].contains("27.0 % (25.0–29.1)"))
    }

    @Test func whatDoesNotFitFollowsBelow() {
        let pivot = ResultsPivot((0..<9).map { row("simclr", "protocol \($0)", nil, 0.5) })
        let text = pivot.text(width: 80)
        #expect(text.split(separator: "\n\n").count == 3)
        for number in 0..<9 { #expect(text.contains("protocol \(number)")) }
        for line in text.split(separator: "\n") { #expect(line.count <= 80) }
    }
}
