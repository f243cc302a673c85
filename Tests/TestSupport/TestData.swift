import Foundation
public import Testing

/// Real data sets and weights, which are not in the repository: in `$FOVEA_DATA`, or in `shared/data` beside the checkout.
///
///     @Test(.needsData("cifar10")) func readsCIFAR() throws {
///         let folder = try TestData.path("cifar10")
public enum TestData {
    public static var folder: String? {
        let checkout = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let beside = checkout.deletingLastPathComponent().appendingPathComponent("shared/data").path
        let named = ProcessInfo.processInfo.environment["FOVEA_DATA"].flatMap { $0.isEmpty ? nil : $0 }
        return [named ?? beside].first { FileManager.default.fileExists(atPath: $0) }
    }

    /// Whether the folder or file of that name is there.
    public static func has(_ name: String) -> Bool {
        folder.map { FileManager.default.fileExists(atPath: "\($0)/\(name)") } ?? false
    }

    public static func path(_ name: String) throws -> String { "\(try #require(folder, "no test data"))/\(name)" }
}

extension Trait where Self == ConditionTrait {
    /// Skips the test, and says so, when the data are not there.
    public static func needsData(_ name: String) -> Self {
        .enabled(if: TestData.has(name), "needs \(name): set FOVEA_DATA to the folder that has it")
    }
}
