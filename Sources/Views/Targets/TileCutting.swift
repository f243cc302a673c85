/// How an image is cut into the tiles of a puzzle (Noroozi and Favaro 2016, section 3): a grid of cells, of each a smaller tile at a
/// random place, so that edges of neighbours do not meet.
public struct TileCutting: Codable, Sendable, Equatable {
    /// Cells of a side, 2 or 3.
    public var grid = 3
    /// The side of a tile in pixels; 64/75 of a cell's when nil, which are the paper's 64 of 225/3.
    public var side: Int?
    /// Pixels by which each colour channel of a tile is moved at most, in both directions, against chromatic aberration; not of grey
    /// images.
    public var channelJitter = 2
    /// Probability that an image loses its colours.
    public var greyShare = 0.3
    /// Each tile's mean becomes 0 and its deviation 1, channel by channel.
    public var normalizes = true

    public init() {}

    public var count: Int { grid * grid }

    /// The sides of cells and of tiles, of an image of this side.
    public func sides(of image: Int) -> (cell: Int, tile: Int) {
        let cell = image / grid
        return (cell, side ?? max(1, Int((Double(cell) * 64 / 75).rounded())))
    }

    public func validate() throws(AugmentationError) {
        let check = Check(augmentation: "tiles")
        try check.holds((2...3).contains(grid), "grid is \(grid), but must be 2 or 3")
        try check.holds((side ?? 1) >= 1, "side is \(side ?? 0), but must be at least 1")
        try check.holds((0...64).contains(channelJitter), "channelJitter is \(channelJitter), not 0…64")
        try check.probability(greyShare, "greyShare")
    }
}
