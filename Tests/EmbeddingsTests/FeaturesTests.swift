import Embeddings
import Testing
import Torch

@Suite struct FeaturesTests {
    @Test func checks() throws {
        var features = Features.clouds(3, perClass: 4, seed: 1)
        try features.check("the features")
        features.labels[5] = 3
        #expect(message { try features.check("the features") }?.description.contains("label 3 in row 5") == true)
        features.labels[5] = -2
        #expect(message { try features.check("the features") }?.kind == .labels)
        features.labels.removeLast()
        #expect(message { try features.check("the features") }?.description.contains("12 rows but 11 labels") == true)
        var named = Features.clouds(3, perClass: 4, seed: 1)
        named.names.removeLast()
        #expect(message { try named.check("the features") }?.kind == .labels)
        let bad = Features.clouds(3, perClass: 4, seed: 1)
        bad.matrix.indexCopyInPlace(0, Tensor([2]), Tensor.full([1, 8], -.infinity))
        #expect(message { try bad.check("the test features") }?.description.contains("the test features hold NaN or infinite") == true)
    }

    @Test func picking() {
        var features = Features.clouds(3, perClass: 2, seed: 2)
        features.labels[1] = -1
        #expect(features.classCounts == [2, 1, 2])
        let labelled = features.labelled
        #expect(labelled.labels == [0, 2, 0, 1, 2] && labelled.names == ["0.png", "2.png", "3.png", "4.png", "5.png"])
        #expect(labelled.matrix.floats == features.matrix.rows(Tensor([0, 2, 3, 4, 5])).floats)
    }

    @Test func labelMaps() throws {
        let map = try LabelMap(train: ["cat", "dog", "owl"], test: ["owl", "yak", "cat"])
        #expect(map.apply([0, 1, 2, -1]) == [2, 3, 0, -1])
        #expect(map.classNames == ["cat", "dog", "owl", "yak"] && map.unknown == ["yak"])
        #expect(map.note?.contains("yak") == true)
        #expect(message { try map.requireAllKnown() }?.kind == .unknownClasses)
        let known = try LabelMap(train: ["a", "b"], test: ["b"])
        #expect(known.note == nil && known.apply([0]) == [1])
        try known.requireAllKnown()
        #expect(message { _ = try LabelMap(train: ["a"], test: ["b", "c"]) }?.kind == .unknownClasses)
        #expect(message { _ = try LabelMap(train: ["a", "a"], test: ["a"]) }?.description.contains("'a' occurs twice") == true)
    }

    @Test func metrics() {
        let labels = [0, 1, 2, 2, -1, 1]
        let ranked = [[0, 1], [0, 1], [2, 0], [1, 0], [0, 2], [1, 2]]
        let predictions = ranked.map { $0[0] }
        #expect(Metrics.accuracy(labels, predictions) == 0.6)
        #expect(Metrics.topAccuracy(2, labels, ranked: ranked) == 0.8)
        #expect(Metrics.confusion(labels, predictions, classes: 3) == [[1, 0, 0], [1, 1, 0], [0, 1, 1]])
        #expect(Metrics.perClassAccuracy(labels, predictions, classes: 4) == [1, 0.5, 0.5, nil])
        #expect(abs(Metrics.meanPerClassAccuracy(labels, predictions) - 2.0 / 3) < 1e-12)
        #expect(Metrics.accuracy([-1], [0]).isNaN)
        let found = Classification(labels: labels, ranked: ranked, classNames: ["a", "b", "c"])
        #expect(found.correct() == [true, false, true, false, true] && found.correct(within: 2) == [true, true, true, false, true])
        #expect(found.top1?.estimate == 0.6 && found.top5?.estimate == 0.8 && found.predictions == predictions)
        #expect(Classification(labels: [-1], ranked: [[0]], classNames: ["a"]).top1 == nil)
        #expect(Metrics.ranking(Tensor([1, 3, 3, 0] as [Float], [1, 4]), 3) == [[1, 2, 0]])
    }
}
