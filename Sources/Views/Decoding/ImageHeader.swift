/// What a file says about itself before its pixels are decoded.
struct ImageHeader {
    /// Sides in pixels as stored, before the orientation is applied; at least 1.
    var width: Int
    var height: Int
    var orientation = Orientation.upright
}
