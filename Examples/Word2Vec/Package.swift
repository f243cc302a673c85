// swift-tools-version: 6.2
import PackageDescription

// A program outside Fovea's package: it depends on the library by path, as it would by address.
let package = Package(
    name: "Word2Vec",
    platforms: [.macOS(.v14)],
    dependencies: [.package(name: "Fovea", path: "../..")],
    targets: [.executableTarget(name: "Word2Vec", dependencies: [.product(name: "Fovea", package: "Fovea")])],
    swiftLanguageModes: [.v6]
)
