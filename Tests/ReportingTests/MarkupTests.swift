import Testing

@testable import Reporting

@Suite struct MarkupTests {
    @Test func interpolatedTextIsEscapedAndMarkupIsNot() {
        let hostile = #"<b onclick="x" id='y'>&"#
        let markup: Markup = "<p>\(hostile)</p>"
        #expect(markup.text == "<p>&lt;b onclick=&quot;x&quot; id=&#39;y&#39;&gt;&amp;</p>")
        let outer: Markup = "<div>\(markup)\([markup])</div>"
        #expect(outer.text == "<div>\(markup.text)\(markup.text)</div>")
    }

    @Test func charactersThatXMLForbidsAreReplaced() {
        let markup: Markup = "<p>\("a\u{0}b\u{1B}[31m\u{FFFE}\u{202E}gpj.exe")</p>"
        #expect(markup.text == "<p>a\u{FFFD}b\u{FFFD}[31m\u{FFFD}\u{FFFD}gpj.exe</p>")
        #expect(XMLDocumentReader(markup.text) != nil)
    }

    @Test(arguments: [
        (1.0, "1"), (0.5, "0.5"), (-0.25, "-0.25"), (3.14159, "3.14"), (-0.001, "0"), (1.006, "1.01"), (2.999, "3"), (.nan, "0"),
        (.infinity, "0"),
    ])
    func coordinatesHaveTwoDecimals(value: Double, text: String) {
        #expect(Markup.coordinate(value) == text)
    }
}
