import Foundation
import Fovea
import Testing
import TestSupport

@Suite(.serialized) struct QualityTests {
    private func quality() -> LabelFreeQuality {
        var quality = LabelFreeQuality()
        (quality.images, quality.views, quality.loaderThreads) = (32, 3, 1)
        return quality
    }

    @Test func checkpointsOfARunAreMeasuredAndRanked() throws {
        try withTemporaryFolder { folder in
            try writeImages(64, to: "\(folder)/images")
            var recipe = try tinyRecipe()
            recipe.training.epochs = 4
            recipe.training.learningRate = 0.5
            recipe.monitoring.keepEveryEpochs = 1
            try pretrain("\(folder)/images", recipe: recipe, into: "\(folder)/run", options: tinyOptions())
            let images = try DatasetSplits.open("\(folder)/images").train
            // A made-up accuracy that follows RankMe, so that its correlation is known.
            var own = quality()
            let table = try own.checkpoints(of: RunFolder("\(folder)/run"), on: images) { encoder in
                var rank = LabelFreeQuality()
                (rank.measures, rank.images, rank.loaderThreads) = ([.rankme], 32, 1)
                let value = try rank(encoder, images, views: ViewRecipe.simCLR(size: 16))[.rankme]!
                return EvaluationResult(encoder: "", protocolName: "linear", value: value / 100)
            }
            #expect(table.rows.map(\.checkpoint) == ["epoch-1", "epoch-2", "epoch-3", "epoch-4"])
            #expect(table.rankCorrelations["rankme"] == 1)
            let best = table.rows.max { $0.values["rankme"]! < $1.values["rankme"]! }!
            #expect(table.choices["rankme"] == best.checkpoint)
            for row in table.rows {
                #expect((1...32.0).contains(row.values["rankme"]!) && (0...1).contains(row.values["consistency"]!))
                #expect((0...4).contains(row.values["alignment"]!) && row.values["uniformity"]! <= 0 && row.values["lidar"]! >= 1)
            }
            // The same numbers again, and from the library without a run.
            own.measures = [.lidar, .alignment]
            let alone = try own(
                RunFolder("\(folder)/run").encoderOfCheckpoint("epoch-2"), images, views: LabelFreeQuality.views(of: recipe))
            #expect(alone[.lidar] == table.rows[1].values["lidar"] && alone[.alignment] == table.rows[1].values["alignment"])
            try LabelFreeQuality.write(table, to: "\(folder)/run/evaluation")
            #expect(try RunReport.html(runFolder: URL(fileURLWithPath: "\(folder)/run")).contains("Quality without labels"))
            #expect(table.text.contains("Spearman's ρ") && table.text.contains("RankMe"))
        }
    }

    @Test func measuresKnowGoodFromBad() throws {
        Runtime.seed(1)
        let encoder = try Encoder(BackboneSettings("resnet18", width: 4, stem: .small), imageSize: 16)
        let images = SyntheticShapes(count: 48, side: 16, seed: 2)
        // Views that hardly differ agree more than SimCLR's.
        let still = try ViewRecipe(views: [View("view", size: 16, copies: 2, [RandomResizedCrop(scale: 0.95...1)])])
        let (a, b) = (try quality()(encoder, images, views: still), try quality()(encoder, images, views: ViewRecipe.simCLR(size: 16)))
        #expect(a[.alignment]! < b[.alignment]! && a[.consistency]! > b[.consistency]!)
        #expect(a[.rankme] == b[.rankme])
    }

    @Test func merit() {
        #expect(QualityMeasure.alignment.merit(1) < QualityMeasure.alignment.merit(0.5))
        #expect(QualityMeasure.alphareq.merit(1.1) > QualityMeasure.alphareq.merit(0.8))
        #expect(QualityMeasure.rankme.merit(10) > QualityMeasure.rankme.merit(9))
    }

    @Test func aRunThatKeptNothingSaysHowToKeep() throws {
        try withTemporaryFolder { folder in
            try writeImages(32, to: "\(folder)/images")
            var recipe = try tinyRecipe()
            recipe.training.epochs = 1
            try pretrain("\(folder)/images", recipe: recipe, into: "\(folder)/run", options: tinyOptions())
            let images = try DatasetSplits.open("\(folder)/images").train
            let error = #expect(throws: EvaluationError.self) { try quality().checkpoints(of: RunFolder("\(folder)/run"), on: images) }
            #expect(error?.description.contains("--keep-every") == true)
        }
    }
}
