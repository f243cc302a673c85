import Files
import Testing

@Suite struct CSVTests {
    @Test func quotedFieldsHoldCommasQuotesAndLineBreaks() throws {
        let records = try CSV.parse("name,reason\r\n\"a,b\",\"said \"\"no\"\"\"\r\n\"two\nlines\",\"cr\r\nlf\"\r\n")
        #expect(records == [["name", "reason"], ["a,b", "said \"no\""], ["two\nlines", "cr\r\nlf"]])
    }

    @Test func emptyFieldsAndLastLineWithoutBreak() throws {
        #expect(try CSV.parse("a,b,c\n1,,3\n,,") == [["a", "b", "c"], ["1", "", "3"], ["", "", ""]])
        #expect(try CSV.parse("a,") == [["a", ""]])
        #expect(try CSV.parse("") == [])
        #expect(try CSV.parse("\u{FEFF}a\n\n\nb\r\n") == [["a"], ["b"]])
    }

    @Test(arguments: [
        ("a\n\"open,b\nc", 2, "never closed"), ("a\n\"x\"y", 2, "after a closing quote"), ("a\nb\nx\"y", 3, "inside an unquoted"),
    ])
    func damageIsFoundWithItsLine(text: String, line: Int, reason: String) {
        let failure = #expect(throws: CSV.Failure.self) { try CSV.parse(text) }
        #expect(failure?.line == line)
        #expect(failure?.reason.contains(reason) == true)
    }

    @Test func linesInsideQuotesAreCounted() {
        let failure = #expect(throws: CSV.Failure.self) { try CSV.parse("\"a\nb\nc\"\nx\"y") }
        #expect(failure?.line == 4)
    }

    @Test func writingQuotesOnlyWhatNeedsIt() {
        #expect(CSV.write([["plain", "a,b", "q\"q", " edge", "l\r\nf", ""]]) == "plain,\"a,b\",\"q\"\"q\",\" edge\",\"l\r\nf\",\r\n")
        #expect(CSV.write([["a"], ["b"]], lineEnding: "\n") == "a\nb\n")
    }

    @Test func whatIsWrittenIsReadAgain() throws {
        let records = [["name", "reason"], ["\"", "\"\"\n"], ["ünï, 猫", "\r"], [" ", "x"]]
        #expect(try CSV.parse(CSV.write(records)) == records)
    }
}
