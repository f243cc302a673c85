import Embeddings
import Testing
import Torch

@Suite struct NearestNeighbourClassifierTests {
    @Test(arguments: [(15, 0.07), (40, 0.01)])
    func weightedVotesAgreeWithScikitLearn(_ k: Int, _ temperature: Double) throws {
        let classifier = NearestNeighbourClassifier(count: .fixed(k), vote: .weighted(temperature: temperature))
        let found = try classifier.evaluate(train: .reference("train"), test: .reference("test"))
        let expected = try References.tensor("knn.\(k).predictions").ints
        #expect(found.neighbours == k)
        let same = zip(found.classification.predictions, expected).count { $0 == $1 }
        #expect(Double(same) >= 0.995 * Double(expected.count))
        let top5 = try References.tensor("knn.\(k).top5").item
        #expect(abs(found.classification.top5!.estimate - top5) < 0.005)
        // It would be seen if votes were not weighted so.
        let other = NearestNeighbourClassifier(count: .fixed(k), vote: .weighted(temperature: 3))
        let wrong = try other.evaluate(train: .reference("train"), test: .reference("test")).classification.predictions
        #expect(zip(wrong, expected).contains { $0 != $1 })
    }

    @Test func majorityAgreesWithScikitLearn() throws {
        let classifier = NearestNeighbourClassifier(count: .fixed(9), vote: .majority)
        let found = try classifier.evaluate(train: .reference("train"), test: .reference("test")).classification
        #expect(found.predictions == (try References.tensor("knn.majority.predictions").ints))
    }

    @Test func leaveOneOutAgreesWithNumPy() throws {
        let found = try NearestNeighbourClassifier(count: .fixed(15)).leaveOneOut(.reference("train"))
        let expected = try References.tensor("knn.loo.predictions").ints
        let same = zip(found.classification.predictions, expected).count { $0 == $1 }
        #expect(Double(same) >= 0.995 * Double(expected.count))
    }

    /// With labels that say nothing, leave-one-out is at chance; an image that could vote for itself would be right.
    @Test func leaveOneOutDoesNotSeeItself() throws {
        var features = Features.clouds(4, perClass: 100, seed: 10)
        var random = SplitMix64(seed: 11)
        random.shuffle(&features.labels)
        let found = try NearestNeighbourClassifier(count: .fixed(1)).leaveOneOut(features)
        #expect(found.classification.top1!.estimate < 0.4)
        // Every image twice: the twin is another image, and is found.
        let twins = Features(
            matrix: .concatenated([features.matrix, features.matrix]), labels: features.labels + features.labels,
            classNames: features.classNames)
        #expect(try NearestNeighbourClassifier(count: .fixed(1)).leaveOneOut(twins).classification.top1?.estimate == 1)
    }

    /// The votes of three neighbours rank three classes at most: no top-5.
    @Test func fewNeighboursHaveNoTopFive() throws {
        let features = Features.clouds(8, perClass: 10, seed: 14)
        for (k, ranksFive) in [(3, false), (4, false), (5, true)] {
            let found = try NearestNeighbourClassifier(count: .fixed(k)).leaveOneOut(features).classification
            #expect((found.top5 != nil) == ranksFive && found.top1 != nil, "\(k)")
        }
    }

    @Test func automaticCount() throws {
        func used(_ classes: Int, _ perClass: Int) throws -> Int {
            try NearestNeighbourClassifier().leaveOneOut(.clouds(classes, perClass: perClass, seed: 12)).neighbours
        }
        #expect(try used(2, 1000) == 200)
        #expect(try used(5, 30) == 15)
        #expect(try used(10, 1) == 1)
        let test = Features.clouds(2, perClass: 5, seed: 13)
        #expect(try NearestNeighbourClassifier(count: .fixed(99)).evaluate(train: test, test: test).neighbours == 10)
    }

    @Test func awkwardSplits() throws {
        var train = Features.clouds(3, perClass: 20, seed: 14)
        // Unlabelled training images have no vote, unlabelled test images are not counted.
        train.labels[0] = -1
        var test = Features.clouds(4, perClass: 10, seed: 15)
        test.labels[0] = -1
        let found = try NearestNeighbourClassifier().evaluate(train: train, test: test).classification
        #expect(found.scored.count == 39 && found.ranked.count == 40)
        #expect(found.notes.count == 1 && found.notes[0].contains("c3"))
        // Images of the class that training does not know are all wrong, the others nearly all right.
        #expect(found.perClass[3] == 0 && found.perClass[0]! > 0.7)
        #expect(found.ranked.allSatisfy { Set($0).count == $0.count && $0.allSatisfy { $0 < 3 } })
        // All features the same: ties go to the lower class.
        let same = Features(matrix: .ones([6, 4]), labels: [2, 1, 0, 2, 1, 0], classNames: ["a", "b", "c"])
        let tied = try NearestNeighbourClassifier(count: .fixed(6)).evaluate(train: same, test: same).classification
        #expect(tied.ranked.allSatisfy { $0 == [0, 1, 2] })
    }

    @Test func badInput() {
        let train = Features.clouds(3, perClass: 20, seed: 16)
        func failure(_ body: () throws -> Void) -> FeatureError.Kind? { message(body)?.kind }
        let classifier = NearestNeighbourClassifier()
        #expect(failure { _ = try classifier.evaluate(train: train, test: .clouds(3, perClass: 2, width: 5, seed: 17)) } == .width)
        var blank = train
        blank.labels = blank.labels.map { _ in -1 }
        #expect(failure { _ = try classifier.evaluate(train: blank, test: train) } == .tooFewRows)
        #expect(failure { _ = try classifier.leaveOneOut(blank) } == .tooFewRows)
        #expect(failure { _ = try NearestNeighbourClassifier(count: .fixed(0)).leaveOneOut(train) } == .setting)
        #expect(failure { _ = try NearestNeighbourClassifier(vote: .weighted(temperature: 0)).leaveOneOut(train) } == .setting)
    }
}
