/// The version of the package.
public enum FoveaVersion {
    public static let current = "0.1.0"
}
