/// Colours of series. Chosen so that every pair stays apart (ΔE ≥ 24) in normal vision and under simulated protanopia, deuteranopia
/// and tritanopia (Machado et al. 2009), with a contrast of at least 3 : 1 against the page. Colour is never the only cue: lines
/// carry their name or a dash pattern, points their shape.
enum Palette {
    static let light = ["#2f66c0", "#b28408", "#149a63", "#6d3458", "#98380f", "#141a8c"]
    static let dark = ["#77aafc", "#d9642a", "#5ee0a0", "#b66884", "#f5e05a", "#8360ff"]
    static let lightPage = "#fbfaf7"
    static let darkPage = "#15171b"
    static let dashes = ["none", "6 3", "2 3", "8 3 2 3"]

    /// A colour that follows the page's scheme, and the light one where no page defines it.
    static func color(_ series: Int) -> String {
        let index = series % light.count
        return "var(--fovea-\(index + 1), \(light[index]))"
    }

    /// For what stands beside the subject, such as baselines.
    static let muted = "var(--fovea-muted, #8a8f98)"

    static func dash(_ series: Int) -> String { dashes[series / light.count % dashes.count] }

    static func variables(_ colors: [String], muted: String) -> String {
        colors.enumerated().map { "--fovea-\($0.offset + 1):\($0.element);" }.joined() + "--fovea-muted:\(muted);"
    }

    static let lightVariables = variables(light, muted: "#8a8f98")
    static let darkVariables = variables(dark, muted: "#7d838d")
}
