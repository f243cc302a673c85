import Fovea
import Foundation

/// A run on the terminal: a bar that is drawn over where there is one, a line per epoch elsewhere (files, pipes, CI).
final class TerminalProgress: TrainingObserver {
    private let isQuiet: Bool
    private let isInteractive = isatty(STDERR_FILENO) == 1
    private var barLength = 0

    init(quiet: Bool) { isQuiet = quiet }

    func begins(_ plan: TrainingPlan) {
        var line =
            "\(plan.method), \(plan.backbone) (\(Format.count(plan.parameters)) parameters), \(Format.count(plan.images)) images, "
            + "\(plan.epochs) epochs of \(plan.stepsPerEpoch) steps of \(plan.batchSize), on \(plan.device)"
        if plan.firstEpoch > 0 { line += ", from epoch \(plan.firstEpoch + 1)" }
        print(line)
        if let forecast = plan.forecast {
            print("forecast: about \(Format.duration(forecast.seconds)) and \(Format.megabytes(forecast.bytes)) of memory")
        }
    }

    func advances(_ progress: TrainingProgress) {
        guard isInteractive, !isQuiet else { return }
        let done = Double(progress.batch) / Double(max(progress.batches, 1))
        let filled = Int(done * 20)
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 20 - filled)
        var text = "epoch \(progress.epoch + 1)/\(progress.epochs) \(bar)"
        if let loss = progress.loss { text += String(format: "  loss %.3f", loss) }
        text += String(format: "  lr %.3g", progress.learningRate)
        if progress.imagesPerSecond > 0 {
            text += String(format: "  %.0f images/s", progress.imagesPerSecond) + "  \(Format.duration(progress.secondsLeft)) left"
        }
        write("\r" + text + String(repeating: " ", count: max(0, barLength - text.count)))
        barLength = text.count
    }

    func endsEpoch(_ summary: EpochSummary) {
        guard !isQuiet else { return }
        var text = "epoch \(summary.epoch + 1)/\(summary.epochs)"
        if let loss = summary["loss"] { text += String(format: "  loss %.4f", loss) }
        if let accuracy = summary["knn"] { text += String(format: "  kNN %.1f %%", accuracy * 100) }
        if let rank = summary["h.rank"] { text += String(format: "  rank %.0f", rank) }
        text += String(format: "  %.0f images/s  %@", summary.imagesPerSecond, Format.duration(summary.seconds))
        print(text)
    }

    func says(_ message: String) { print("note: \(message)") }

    private func print(_ line: String) {
        guard !isQuiet else { return }
        clear()
        write(line + "\n")
    }

    private func clear() {
        guard barLength > 0 else { return }
        write("\r" + String(repeating: " ", count: barLength) + "\r")
        barLength = 0
    }

    private func write(_ text: String) { Terminal.write(text) }
}
