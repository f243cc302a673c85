/// `summary.json`: what a reader wants to know of a run at a glance.
struct RunSummary: Encodable {
    struct Dataset: Encodable {
        var name: String
        var images: Int
        var unreadable: Int
        var classes: Int
    }

    var fovea = FoveaVersion.current
    var method: String
    var paper: String
    var backbone: String
    var parameters: Int
    var dataset: Dataset
    var epochs: Int
    var batchSize: Int
    var imageSize: Int
    var device: String
    var threads: Int
    var libtorch: String
    var seed: UInt64
}

/// The version of the package.
public enum FoveaVersion {
    public static let current = "0.1.0"
}
