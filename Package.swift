// swift-tools-version: 6.2
import Foundation
import PackageDescription

// libtorch is found in .libtorch/ (put there by ./setup) or where $LIBTORCH points: a PyTorch wheel's `torch` folder,
// a virtual environment's site-packages/torch, or an unpacked libtorch.
let libtorch = Libtorch.find()

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: "\(name)Tests", dependencies: dependencies + ["TestSupport"], swiftSettings: strict)
}

let package = Package(
    name: "Fovea",
    platforms: [.macOS(.v14)],
    products: [
        .library(name: "Fovea", targets: ["Fovea"]),
        .library(name: "Views", targets: ["Views"]),
        .executable(name: "fovea", targets: ["FoveaCommand"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        .target(
            name: "CTorch",
            cxxSettings: [.unsafeFlags(libtorch.compilerFlags)],
            linkerSettings: [.unsafeFlags(libtorch.linkerFlags)]),
        .target(name: "CPixels", cSettings: [.unsafeFlags(["-O3"])]),
        .target(
            name: "CCodecs",
            cSettings: [.unsafeFlags(["-O2"] + codecs.compilerFlags)],
            linkerSettings: [
                .unsafeFlags(codecs.linkerFlags),
                .linkedLibrary("jpeg"), .linkedLibrary("png"), .linkedLibrary("webp"), .linkedLibrary("tiff"),
                .linkedLibrary("z"),
            ]),
        library("Files", []),
        library("Torch", ["CTorch", "Files"]),
        library("Views", ["CPixels", "CCodecs", "Files"]),
        library("Embeddings", ["Torch"]),
        library("Backbones", ["Files", "Torch"]),
        library("Methods", ["Files", "Torch", "Views", "Embeddings", "Backbones"]),
        library("Training", ["Files", "Torch", "Views", "Embeddings", "Backbones", "Methods", .product(name: "Yams", package: "Yams")]),
        library("Evaluation", ["Files", "Torch", "Views", "Embeddings", "Backbones", "Methods", "Training"]),
        library("Reporting", ["Files"]),
        library("Fovea", ["Files", "Torch", "Views", "Embeddings", "Backbones", "Methods", "Training", "Evaluation", "Reporting"]),
        .executableTarget(
            name: "FoveaCommand",
            dependencies: [
                "Fovea", "Files", "Torch", "Views", "Backbones", "Methods", "Training", "Evaluation", "Reporting",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        // What tests share; no product depends on it.
        .target(name: "TestSupport", dependencies: ["Torch", "Backbones"], path: "Tests/TestSupport", swiftSettings: strict),
        tests("Files", ["Files"]),
        tests("Torch", ["Torch", "Files"]),
        tests("Views", ["Views", "CPixels"]),
        tests("Embeddings", ["Embeddings", "Torch"]),
        tests("Backbones", ["Backbones", "Torch"]),
        tests("Methods", ["Methods", "Backbones", "Torch", "Views"]),
        tests("Training", ["Training", "Fovea", "Files", "Methods", "Backbones", "Torch", "Views"]),
        tests("Evaluation", ["Evaluation", "Embeddings", "Files", "Torch", "Training", "Views", "Backbones", "Methods"]),
        tests("Reporting", ["Reporting"]),
        tests("Fovea", ["Fovea", "Files", "Torch", "Views", "Backbones", "Methods", "Training"]),
        tests("Command", ["FoveaCommand", "Fovea", "Files", "Torch", "Views"]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .gnu17,
    cxxLanguageStandard: .cxx20
)

/// Where the image codecs' headers and libraries are when the compiler does not look there by itself (Homebrew).
var codecs: (compilerFlags: [String], linkerFlags: [String]) {
    let prefixes = ["/opt/homebrew", "/usr/local"].filter { FileManager.default.fileExists(atPath: "\($0)/include/jpeglib.h") }
    guard let prefix = prefixes.first else { return ([], []) }
    return (["-I\(prefix)/include"], ["-L\(prefix)/lib"])
}

/// One line and no crash dump.
func refuse(_ reason: String) -> Never {
    FileHandle.standardError.write(Data("\(reason)\n".utf8))
    exit(1)
}

struct Libtorch {
    let folder: String

    static func find() -> Libtorch {
        let inside = "\(Context.packageDirectory)/.libtorch/torch"
        let folder = Context.environment["LIBTORCH"].flatMap { $0.isEmpty ? nil : $0 } ?? inside
        let found = [folder, "\(folder)/torch"].first { FileManager.default.fileExists(atPath: "\($0)/include/ATen/ATen.h") }
        guard let found else {
            refuse("no libtorch in \(folder): run ./setup, or set LIBTORCH to an installed torch (the folder with include/ and lib/)")
        }
        let libtorch = Libtorch(folder: found)
        if let version = libtorch.version, version < (2, 11) {
            refuse(
                "libtorch in \(found) is \(version.0).\(version.1), but Fovea needs 2.11 or newer: "
                    + "run ./setup, or point LIBTORCH elsewhere")
        }
        return libtorch
    }

    /// Major and minor version, from the wheel's version.py or libtorch's build-version.
    var version: (Int, Int)? {
        for name in ["version.py", "build-version"] {
            guard let text = try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8) else { continue }
            let line = text.split(separator: "\n").first { $0.hasPrefix("__version__") } ?? text.split(separator: "\n").first ?? ""
            let numbers = line.split { !$0.isNumber }.compactMap { Int($0) }
            if numbers.count >= 2 { return (numbers[0], numbers[1]) }
        }
        return nil
    }

    var compilerFlags: [String] {
        var flags = ["-I\(folder)/include", "-I\(folder)/include/torch/csrc/api/include", "-O3", "-fno-math-errno", "-w"]
        #if arch(x86_64)
        // Where functions are compiled for 512-bit vectors, whole ones.
        flags += ["-mprefer-vector-width=512"]
        #endif
        return flags
    }

    var linkerFlags: [String] {
        var flags = ["-L\(folder)/lib", "-Xlinker", "-rpath", "-Xlinker", "\(folder)/lib"]
        #if os(Linux)
        // Nothing here names a symbol of these libraries: they register their kernels when they are loaded.
        flags += ["-Xlinker", "--no-as-needed"]
        #endif
        flags += ["-ltorch", "-ltorch_cpu", "-lc10"]
        if FileManager.default.fileExists(atPath: "\(folder)/lib/libtorch_cuda.so") { flags += ["-ltorch_cuda", "-lc10_cuda"] }
        return flags
    }
}
