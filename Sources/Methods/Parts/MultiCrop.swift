/// What methods with large and small views share.
enum MultiCrop {
    /// The side of the small views: 96 for 224 pixels, as SwAV and DINO have it, and in proportion.
    static func smallSide(_ imageSize: Int) -> Int { max(8, Int((Double(imageSize) * 96 / 224).rounded())) }
}
