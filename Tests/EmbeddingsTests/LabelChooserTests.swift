import TestSupport
import Testing
import Torch

@testable import Embeddings

/// Which images to label, against NumPy and scikit-learn (generate_choosers.py), and what holds of any choice.
@Suite struct LabelChooserTests {
    private func values() throws -> (reference: ReferenceValues, unit: Tensor, labels: [Int]) {
        let values = try ReferenceValues.load("choosers")
        return (values, values["features"].normalized(), values["labels"].ints)
    }

    @Test func farthestFirst() throws {
        let (values, unit, _) = try values()
        #expect(LabelChooser.farthestFirst(unit, 60, first: 17) == values["kcentre"].ints)
        #expect(LabelChooser.farthestFirst(values["features"], 60, first: 17) != values["kcentre"].ints, "features of any length")
    }

    @Test func medoidsAreTheRowsNearestToTheCentroids() throws {
        let (values, unit, _) = try values()
        var means = KMeans(clusters: 21)
        (means.tolerance, means.iterations) = (0, 300)
        #expect(try LabelChooser.medoids(unit, means.fit(unit, initial: values["kmeans.initial"])) == values["kmeans.rows"].ints)
    }

    @Test func typicalRowsInTwoRounds() throws {
        let (values, unit, _) = try values()
        let first = LabelChooser.typical(unit, values["typiclust.clusters"].ints, labelled: [], 9)
        #expect(first == values["typiclust.first"].ints)
        #expect(LabelChooser.typical(unit, values["typiclust.clusters2"].ints, labelled: first, 30) == values["typiclust.second"].ints)
        #expect(
            LabelChooser.typical(unit, values["typiclust.clusters2"].ints, labelled: [], 30) != values["typiclust.second"].ints,
            "what is labelled already")
    }

    @Test func closestMargins() throws {
        let (values, unit, labels) = try values()
        let labelled = values["margin.labelled"].ints
        let (margins, expected) = (values["margin.all"].doubles, values["margin.rows"].ints)
        let found = LabelChooser.closestMargins(unit, labels, labelled: labelled, 25)
        #expect(Set(found).count == 25 && Set(found).isDisjoint(with: labelled))
        // Rows whose margins are alike may change places.
        for (row, other) in zip(found, expected) { #expect(abs(margins[row] - margins[other]) < 1e-4) }
        #expect(
            Set(LabelChooser.closestMargins(unit, labels.map { ($0 + 1) % 5 }, labelled: labelled, 25)) != Set(expected), "other labels")
    }

    @Test(arguments: LabelChooser.allCases)
    func budgetsAreMetAndSeedsDecide(chooser: LabelChooser) throws {
        let (values, _, labels) = try values()
        let features = Features(matrix: values["features"], labels: labels, classNames: (0..<6).map { "\($0)" })
        let budgets = [1, 6, 30, 100, 320]
        let found = try chooser.choose(budgets, of: features, seed: 4)
        #expect(found.map(\.count) == budgets && found.allSatisfy { $0 == Set($0).sorted() })
        #expect(found.last == Array(0..<320))
        #expect(try chooser.choose(budgets, of: features, seed: 4) == found)
        #expect(try chooser.choose(budgets, of: features, seed: 5) != found)
        if chooser != .kmeans { for (few, more) in zip(found, found.dropFirst()) { #expect(Set(few).isSubset(of: more)) } }
        // None but the active one looks at labels, and that only at those of chosen rows.
        var other = features
        for row in 0..<320 where chooser != .margin || !found[2].contains(row) { other.labels[row] = 5 - other.labels[row] }
        #expect(
            try chooser.choose(Array(budgets.prefix(4)), of: other, seed: 4)[..<(chooser == .margin ? 3 : 4)]
                == found[..<(chooser == .margin ? 3 : 4)])
    }

    /// Far more groups are seen than by chance.
    @Test func chosenOnesCoverTheGroups() throws {
        Runtime.seed(2)
        let groups = 20
        let rows = (0..<400).map { $0 < 200 ? $0 % 2 : $0 % groups }
        let centres = Tensor.randn([groups, 32]) * 4
        let features = Features(
            matrix: centres.rows(Tensor(rows)) + Tensor.randn([400, 32]) * 0.3, labels: rows, classNames: (0..<groups).map { "\($0)" })
        func seen(_ chooser: LabelChooser) throws -> Int {
            try Set(chooser.choose([20], of: features, seed: 1)[0].map { rows[$0] }).count
        }
        for chooser in [LabelChooser.kmeans, .typiclust, .kcentre] { #expect(try seen(chooser) >= 15, "\(chooser)") }
        #expect(try seen(.random) < 15)
    }

    @Test func imagesThatAreAllAlikeCanBeChosen() throws {
        let features = Features(matrix: .ones([12, 32]), labels: (0..<12).map { $0 % 2 }, classNames: ["a", "b"])
        for chooser in LabelChooser.allCases { #expect(try chooser.choose([1, 5, 12], of: features, seed: 0).map(\.count) == [1, 5, 12]) }
    }

    @Test func impossibleBudgetsAreRefused() {
        let features = Features(matrix: .ones([3, 32]), labels: [0, 1, 0], classNames: ["a", "b"])
        for budgets in [[4], [0, 1], [2, 1], []] {
            #expect(throws: FeatureError.self) { try LabelChooser.random.choose(budgets, of: features, seed: 0) }
        }
    }
}
