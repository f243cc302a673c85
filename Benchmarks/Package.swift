// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that nothing that is only measured is built with Fovea.
let package = Package(
    name: "Benchmarks",
    platforms: [.macOS(.v14)],
    dependencies: [.package(name: "Fovea", path: "..")],
    targets: [
        .target(name: "Arguments"),
        .executableTarget(name: "augment-throughput", dependencies: ["Arguments", .product(name: "Views", package: "Fovea")], path: "Sources/AugmentThroughput"),
        .executableTarget(name: "training-throughput", dependencies: ["Arguments", .product(name: "Fovea", package: "Fovea")], path: "Sources/TrainingThroughput"),
        .executableTarget(name: "step-breakdown", dependencies: ["Arguments", .product(name: "Fovea", package: "Fovea")], path: "Sources/StepBreakdown"),
        .executableTarget(name: "loader-scaling", dependencies: ["Arguments", .product(name: "Views", package: "Fovea")], path: "Sources/LoaderScaling"),
        .executableTarget(name: "performance-plots", dependencies: [.product(name: "Fovea", package: "Fovea")], path: "Sources/PerformancePlots"),
        .executableTarget(name: "embed-throughput", dependencies: ["Arguments", .product(name: "Fovea", package: "Fovea")], path: "Sources/EmbedThroughput"),
        .executableTarget(
            name: "neighbour-throughput", dependencies: ["Arguments", .product(name: "Fovea", package: "Fovea")], path: "Sources/NeighbourThroughput"),
    ],
    swiftLanguageModes: [.v6]
)
