import ArgumentParser
import Fovea

/// Where features and baselines' scores are remembered.
struct CacheOptions: ParsableArguments {
    @Option(
        help: "Where features and baselines' scores are remembered between calls; $FOVEA_CACHE, or ~/.cache/fovea/features.",
        completion: .directory)
    var cache: String?

    @Flag(help: "Remember neither features nor baselines' scores.")
    var noCache = false

    func validate() throws {
        if noCache, cache != nil { throw ValidationError("--cache and --no-cache: give one of them") }
    }

    var chosen: FeatureCache? { noCache ? nil : cache.map { FeatureCache($0) } ?? .standard }
}
