import Testing

@testable import Views

@Suite struct DirichletSplitTests {
    /// Pictures that have a label and nothing else.
    private struct Labels: ImageDataset {
        let labels: [Int?]
        var count: Int { labels.count }
        var classNames: [String] { (0..<10).map { "\($0)" } }
        func label(at index: Int) -> Int? { labels[index] }
        func name(at index: Int) -> String { "\(index)" }
        func image(at index: Int, coveringAtLeast target: Int?) throws(ImageError) -> PixelImage { fatalError("no pictures") }
    }

    private let data = Labels(labels: (0..<1000).map { $0 % 11 == 10 ? nil : $0 % 10 })

    /// The share of the most frequent class, a mean over sites.
    private func skew(_ parts: [[Int]]) -> Double {
        let shares = parts.map { rows in
            Double(Dictionary(grouping: rows) { data.label(at: $0) }.values.map(\.count).max() ?? 0) / Double(rows.count)
        }
        return shares.reduce(0, +) / Double(shares.count)
    }

    @Test func everyPictureIsAtOneSite() throws {
        for alpha in [0.01, 0.3, 1, 100] {
            let parts = try #require(DirichletSplit.parts(of: data, sites: 5, alpha: alpha, seed: 3))
            #expect(parts.count == 5 && parts.joined().sorted() == Array(0..<1000))
            #expect(parts.allSatisfy { !$0.isEmpty && $0 == $0.sorted() })
            #expect(parts == DirichletSplit.parts(of: data, sites: 5, alpha: alpha, seed: 3))
            #expect(parts != DirichletSplit.parts(of: data, sites: 5, alpha: alpha, seed: 4))
        }
    }

    @Test func alphaSaysHowAlikeSitesAre() throws {
        func skews(_ alpha: Double) throws -> Double {
            try (0..<5).map { skew(try #require(DirichletSplit.parts(of: data, sites: 4, alpha: alpha, seed: $0))) }.reduce(0, +) / 5
        }
        let (apart, between, alike) = (try skews(0.05), try skews(0.5), try skews(1000))
        #expect(apart > 0.4 && between < apart - 0.1 && alike < 0.13 && alike < between - 0.05, "\(apart), \(between), \(alike)")
        // Alike sites have almost the same number of pictures.
        let parts = try #require(DirichletSplit.parts(of: data, sites: 4, alpha: 1e5, seed: 1))
        #expect(parts.allSatisfy { (240...260).contains($0.count) })
    }

    @Test func whatCannotBeIsNil() {
        #expect(DirichletSplit.parts(of: data, sites: 4, alpha: 1, least: 251, seed: 1) == nil)
        #expect(DirichletSplit.parts(of: data, sites: 1, alpha: 1, seed: 1) == [Array(0..<1000)])
    }
}
