import Foundation
import Testing
import Torch

@testable import Methods

@Suite struct SettingsTests {
    private func simCLR(_ change: (inout SimCLR.Settings) -> Void) -> String? {
        var settings = SimCLR.Settings()
        change(&settings)
        return message { try settings.validate() }
    }

    private func byol(_ change: (inout BYOL.Settings) -> Void) -> String? {
        var settings = BYOL.Settings()
        change(&settings)
        return message { try settings.validate() }
    }

    private func supervised(_ smoothing: Double) -> String? {
        var settings = Supervised.Settings()
        settings.labelSmoothing = smoothing
        return message { try settings.validate() }
    }

    @Test func publishedDefaultsAreValid() throws {
        for entry in MethodRegistry.standard.entries { try entry.settings.init().validate() }
        let simCLR = SimCLR.Settings()
        #expect(simCLR.temperature == 0.5 && simCLR.outputWidth == 128 && simCLR.headLayers == 2 && simCLR.headBatchNorm)
        let byol = BYOL.Settings()
        #expect(byol.hiddenWidth == 4096 && byol.outputWidth == 256 && byol.targetDecay == .cosine(from: 0.996, to: 1))
        #expect(Supervised.Settings().labelSmoothing == 0)
    }

    @Test func simCLRRefusesWhatMakesNoSense() throws {
        #expect(simCLR { $0.temperature = 0 } == "method.temperature must be above 0, not 0.0")
        #expect(simCLR { $0.temperature = -0.5 } == "method.temperature must be above 0, not -0.5")
        #expect(simCLR { $0.temperature = .nan } == "method.temperature must be above 0, not nan")
        #expect(simCLR { $0.outputWidth = 0 } == "method.hiddenWidth and outputWidth must be positive")
        #expect(simCLR { $0.hiddenWidth = -1 } == "method.hiddenWidth and outputWidth must be positive")
        #expect(simCLR { $0.headLayers = 0 } == "method.headLayers must be 1 to 8, not 0")
        #expect(simCLR { $0.headLayers = 9 } == "method.headLayers must be 1 to 8, not 9")
        for strength in [-0.1, 2.6, 3, .nan] {
            let message = "method.jitterStrength must lie between 0 and 2.5, not \(strength)"
            #expect(simCLR { $0.jitterStrength = strength } == message)
        }
        // The greatest that the colour jitter takes.
        var settings = SimCLR.Settings()
        settings.jitterStrength = 2.5
        try settings.validate()
        _ = try SimCLR.views(settings, imageSize: 32)
        #expect(simCLR { ($0.temperature, $0.hiddenWidth, $0.headLayers, $0.jitterStrength) = (0.01, 0, 8, 0) } == nil)
    }

    @Test func byolRefusesWhatMakesNoSense() {
        #expect(byol { $0.hiddenWidth = 0 } == "method.hiddenWidth and outputWidth must be positive")
        #expect(byol { $0.outputWidth = -4 } == "method.hiddenWidth and outputWidth must be positive")
        #expect(byol { $0.targetDecay = .constant(1.01) } == "method.targetDecay must lie between 0 and 1, not 1.01")
        #expect(byol { $0.targetDecay = .linear(from: -0.2, to: 1) } == "method.targetDecay must lie between 0 and 1, not -0.2")
        #expect(byol { $0.targetDecay = .linear(from: 0.9, to: 1.5) } == "method.targetDecay must lie between 0 and 1, not 1.5")
        #expect(byol { $0.targetDecay = .constant(0) } == nil)
        #expect(byol { $0.targetDecay = .constant(1) } == nil)
    }

    @Test func supervisedRefusesWhatMakesNoSense() {
        #expect(supervised(1) == "method.labelSmoothing must be at least 0 and below 1, not 1.0")
        #expect(supervised(-0.1) == "method.labelSmoothing must be at least 0 and below 1, not -0.1")
        #expect(supervised(0.999) == nil)
    }

    /// Each default with one value that makes no sense: the message names the setting.
    @Test func senselessValuesAreNamed() throws {
        func refused<Settings: MethodSettings>(_ settings: Settings) throws -> [String] {
            let encoded = try JSONEncoder().encode(settings)
            let object = try #require(JSONSerialization.jsonObject(with: encoded) as? [String: Any])
            var passed: [String] = []
            // Of what is true or false nothing makes no sense.
            let switches = Mirror(reflecting: settings).children.filter { $0.value is Bool }.compactMap(\.label)
            for (key, value) in object where value is NSNumber && !switches.contains(key) {
                var changed = object
                changed[key] = -3
                let wrong = try JSONDecoder().decode(Settings.self, from: JSONSerialization.data(withJSONObject: changed))
                let found = message { try wrong.validate() }
                if found?.hasPrefix("method.") != true || found?.contains(key) != true { passed.append("\(key): \(found ?? "accepted")") }
            }
            return passed
        }
        // SimCLR's and BYOL's messages are tested above.
        for entry in MethodRegistry.standard.entries where !["simclr", "byol", "supervised"].contains(entry.card.name) {
            #expect(try refused(entry.settings.init()) == [], "\(entry.card.name)")
        }
    }

    @Test func settingsSurviveCoding() throws {
        func again<Settings: MethodSettings>(_ settings: Settings) throws -> Settings {
            try JSONDecoder().decode(Settings.self, from: JSONEncoder().encode(settings))
        }
        var simCLR = SimCLR.Settings()
        (simCLR.hiddenWidth, simCLR.outputWidth, simCLR.headLayers, simCLR.headBatchNorm) = (7, 9, 3, false)
        (simCLR.temperature, simCLR.jitterStrength) = (0.07, 0.9)
        #expect(try again(simCLR) == simCLR && simCLR != SimCLR.Settings())
        for decay in [Schedule.constant(0.99), .linear(from: 0.9, to: 0.99), .warmUp(fraction: 0.1, from: 0.5, then: .constant(0.9))] {
            var byol = BYOL.Settings()
            byol.targetDecay = decay
            #expect(try again(byol) == byol)
        }
    }
}
