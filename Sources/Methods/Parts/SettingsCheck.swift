internal import Torch

/// The refusals that settings of many methods share.
enum SettingsCheck {
    static func require(_ holds: Bool, _ message: @autoclosure () -> String) throws(SettingsError) {
        if !holds { throw SettingsError(message()) }
    }

    static func positive(_ name: String, _ value: Int) throws(SettingsError) {
        try require(value > 0, "method.\(name) must be positive, not \(value)")
    }

    static func positive(_ name: String, _ value: Double) throws(SettingsError) {
        try require(value > 0 && value.isFinite, "method.\(name) must be above 0, not \(value)")
    }

    static func notNegative(_ name: String, _ value: Double) throws(SettingsError) {
        try require(value >= 0 && value.isFinite, "method.\(name) must not be negative, but is \(value)")
    }

    static func notNegative(_ name: String, _ value: Int) throws(SettingsError) {
        try require(value >= 0, "method.\(name) must not be negative, but is \(value)")
    }

    /// Layers of a head.
    static func layers(_ name: String, _ value: Int) throws(SettingsError) {
        try require((1...8).contains(value), "method.\(name) must be 1 to 8, not \(value)")
    }

    static func fraction(_ name: String, _ value: Double) throws(SettingsError) {
        try require((0...1).contains(value), "method.\(name) must lie between 0 and 1, not \(value)")
    }

    /// Of colours: hue is turned by up to 0.2 s of a circle, of which a half is all there is.
    static func jitterStrength(_ s: Double) throws(SettingsError) {
        try require((0...2.5).contains(s), "method.jitterStrength must lie between 0 and 2.5, not \(s)")
    }

    /// At the beginning and the end of a run.
    static func fraction(_ name: String, _ schedule: Schedule) throws(SettingsError) {
        for position in [0, 1] { try fraction(name, schedule.value(at: position, of: 1)) }
    }
}
