internal import Torch

/// The refusals that settings of many methods share.
enum SettingsCheck {
    static func require(_ holds: Bool, _ message: @autoclosure () -> String) throws(SettingsError) {
        if !holds { throw SettingsError(message()) }
    }

    /// More than anything has, and little enough to be multiplied.
    private static let most = 10_000_000

    static func positive(_ name: String, _ value: Int) throws(SettingsError) {
        try require(value > 0, "method.\(name) must be positive, not \(value)")
        try require(value <= most, "method.\(name) must be at most \(most), not \(value)")
    }

    static func within(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws(SettingsError) {
        try require(
            range.contains(value), "method.\(name) must be \(range.lowerBound) to \(range.upperBound), not \(value)")
    }

    /// A share that is hidden: some, and not all.
    static func share(_ name: String, _ value: Double) throws(SettingsError) {
        try require(value > 0 && value < 1, "method.\(name) must be above 0 and below 1, not \(value)")
    }

    /// Prototypes, clusters and whatever else one of would be the same for every image.
    static func several(_ name: String, _ value: Int) throws(SettingsError) {
        try require(value >= 2, "method.\(name) must be at least 2, not \(value)")
        try positive(name, value)
    }

    static func positive(_ name: String, _ value: Double) throws(SettingsError) {
        try require(value > 0 && value.isFinite, "method.\(name) must be above 0, not \(value)")
    }

    static func notNegative(_ name: String, _ value: Double) throws(SettingsError) {
        try require(value >= 0 && value.isFinite, "method.\(name) must not be negative, but is \(value)")
    }

    static func notNegative(_ name: String, _ value: Int) throws(SettingsError) {
        try require(value >= 0, "method.\(name) must not be negative, but is \(value)")
        try require(value <= most, "method.\(name) must be at most \(most), not \(value)")
    }

    /// Layers of a head.
    static func layers(_ name: String, _ value: Int) throws(SettingsError) {
        try require((1...8).contains(value), "method.\(name) must be 1 to 8, not \(value)")
    }

    static func fraction(_ name: String, _ value: Double) throws(SettingsError) {
        try require((0...1).contains(value), "method.\(name) must lie between 0 and 1, not \(value)")
    }

    /// What images are divided among.
    static func among(_ name: String, _ value: Int, _ count: Int, of what: String = "images") throws(SettingsError) {
        try require(count >= value, "method.\(name) is \(value), but there are only \(count) \(what): ask for fewer")
    }

    /// Of colours: hue is turned by up to 0.2 s of a circle, of which a half is all there is.
    static func jitterStrength(_ s: Double) throws(SettingsError) {
        try require((0...2.5).contains(s), "method.jitterStrength must lie between 0 and 2.5, not \(s)")
    }

    /// All over a run.
    static func fraction(_ name: String, _ schedule: Schedule) throws(SettingsError) {
        for value in values(schedule) { try fraction(name, value) }
    }

    /// All over a run.
    static func positive(_ name: String, _ schedule: Schedule) throws(SettingsError) {
        for value in values(schedule) { try positive(name, value) }
    }

    /// The ends first, which are what a person has written.
    private static func values(_ schedule: Schedule) -> [Double] { ([0, 200] + (1..<200)).map { schedule.value(at: $0, of: 200) } }
}
