import ArgumentParser
import Fovea
import Foundation

struct Permutations: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Choose the orders of tiles that jigsaw puzzles are told apart by.",
        discussion: """
            Prints one order a line, tiles counted from 0, and their Hamming distances. A recipe that says the same count, rule, seed and \
            minimumDistance (method.puzzle.permutations) has the same orders.
            """)

    @Option(help: "Tiles of a puzzle, 2 to 9.")
    var tiles = 9

    @Option(help: "How many orders.")
    var count = 100

    @Option(
        help: "maximal, middle or minimal Hamming distance to those chosen before.",
        transform: { text in
            guard let rule = PermutationChoice.Rule(rawValue: text) else {
                throw ValidationError("\(text) is no rule: give \(PermutationChoice.Rule.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return rule
        })
    var rule = PermutationChoice.Rule.maximal

    @Option(help: "What chance draws from.")
    var seed: UInt64 = 0

    @Option(help: "No two orders differ in fewer tiles than this.")
    var minimumDistance = 2

    @Option(help: "A file for the orders instead of the terminal.", completion: .file())
    var out: String?

    func validate() throws {
        guard (2...9).contains(tiles) else { throw ValidationError("--tiles \(tiles): give 2 to 9; a grid of 3 has 9") }
        guard count >= 2 else { throw ValidationError("--count \(count): give 2 or more") }
        guard (1...tiles).contains(minimumDistance) else {
            throw ValidationError("--minimum-distance \(minimumDistance): give 1 to --tiles (\(tiles))")
        }
    }

    func run() throws {
        let choice = PermutationChoice(count: count, rule: rule, seed: seed, minimumDistance: minimumDistance)
        let set = try choice.orders(tiles: tiles)
        let text = set.orders.map { $0.map { "\($0)" }.joined(separator: " ") + "\n" }.joined()
        let distances = set.distances
        let line = String(
            format: "%d orders of %d tiles: Hamming distance at least %d, %.2f on average, at most %d", count, tiles, distances.least,
            distances.mean, distances.largest)
        guard let out else {
            print(text, terminator: "")
            Terminal.say(line)
            return
        }
        try AtomicFile.write(text, to: out)
        print(line)
    }
}
