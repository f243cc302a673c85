internal import Torch
public import Views

/// The puzzle that the jigsaw methods see, in their settings' `puzzle:` block.
public struct PuzzleSettings: Codable, Sendable, Equatable {
    public var tiles = TileCutting()
    public var permutations = PermutationChoice()
    /// Orders of each image in a step: its tiles' features are computed once.
    public var perImage = 1
    /// Orders that a batch draws from; 0 for all.
    public var perBatch = 0

    public init() {}
    init(permutations: PermutationChoice) { self.permutations = permutations }

    func validate() throws(SettingsError) {
        do {
            try tiles.validate()
        } catch { throw SettingsError("method.puzzle.\(error)") }
        try SettingsCheck.require(
            permutations.count >= 2, "method.puzzle.permutations.count must be at least 2, not \(permutations.count)")
        try SettingsCheck.positive("puzzle.perImage", perImage)
        try SettingsCheck.notNegative("puzzle.perBatch", perBatch)
    }

    func views(_ view: View, _ damage: JigsawViews.Damage = .none) throws -> any ViewMaker {
        try JigsawViews(view, tiles, permutations, perImage: perImage, perBatch: perBatch, damage: damage)
    }
}
