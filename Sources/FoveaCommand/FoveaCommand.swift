import ArgumentParser
import Fovea

/// The command's root: one file per verb beside this one.
struct FoveaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fovea",
        abstract: "Learn image representations without labels, and prove on your own data what they are worth.",
        discussion: """
            fovea pretrain photos/ --out runs/photos          pretrain an encoder on a folder of images
            fovea evaluate runs/photos --data labelled/       kNN and linear probe against baselines, with intervals
            fovea labels runs/photos --data labelled/         how many labels the encoder saves
            fovea compare runs/a runs/b --data labelled/      encoders beside each other, with paired intervals
            fovea transfer runs/a --data pets/ cars/          encoders on several data sets: linear, fine-tuned, random init
            fovea quality runs/photos --data labelled/        a run's checkpoints without labels: RankMe, LiDAR, …
            fovea sweep photos/ --grid key=1,2 --out sweeps/a a recipe over a grid, with a heat-map
            fovea duplicates runs/photos photos/              images that are almost the same
            fovea distill runs/photos --data labelled/ …      a student taught by the encoder fine-tuned on few labels
            fovea federate photos/ --recipe simclr/small …    sites that keep their images and share weights
            fovea embed runs/photos photos/ --out photos.npy  a feature vector for every image
            fovea patches runs/photos photos/                 patches of other images that the encoder finds most alike
            fovea views --recipe jigsaw/small --data photos/  what a method sees and must predict, as a picture
            fovea clips --out clips/                          clips of moving shapes, to try what learns from video
            fovea demo                                        all of it in a few minutes, on made-up or on your images
            """,
        version: FoveaVersion.current,
        subcommands: [
            Pretrain.self, Evaluate.self, Labels.self, Compare.self, Transfer.self, Quality.self, SweepCommand.self, Duplicates.self,
            Distill.self, Federate.self, Embed.self, Report.self, Demo.self, Methods.self, Backbones.self, Recipes.self, ViewsCommand.self,
            Permutations.self, Patches.self, Clips.self,
        ])
}

@main
enum Main {
    static func main() {
        Failure.install()
        do {
            var command = try FoveaCommand.parseAsRoot(Arguments.prepared(Array(CommandLine.arguments.dropFirst())))
            try command.run()
        } catch {
            Failure.exit(error)
        }
    }
}
