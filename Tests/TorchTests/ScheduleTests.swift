import Foundation
import TestSupport
import Testing
import Torch

@Suite struct ScheduleTests {
    private func close(_ a: Double, _ b: Double) -> Bool { abs(a - b) < 1e-12 }

    @Test func cosineIsTorchs() throws {
        let expected = try ReferenceValues.load("optimizers")["schedule.cosine"].doubles
        let schedule = Schedule.cosine(from: 0.3, to: 0.02)
        for step in 0..<40 { #expect(close(schedule.value(at: step, of: 40), expected[step])) }
        #expect(close(schedule.value(at: 40, of: 40), 0.02))
        // Rising: the target's decay of BYOL, 1 − (1 − τ)(cos(πk/K) + 1)/2.
        for k in 0..<10 {
            let tau = 1 - (1 - 0.996) * (cos(.pi * Double(k) / 10) + 1) / 2
            #expect(close(Schedule.cosine(from: 0.996, to: 1).value(at: k, of: 10), tau))
        }
    }

    @Test func closedForms() {
        for step in 0..<20 {
            #expect(Schedule.constant(0.7).value(at: step, of: 20) == 0.7)
            #expect(close(Schedule.linear(from: 1, to: 5).value(at: step, of: 20), 1 + 4 * Double(step) / 20))
            let expected = step < 12 ? 2 : step < 18 ? 0.2 : 0.02
            #expect(close(Schedule.steps(2, factor: 0.1, milestones: [0.6, 0.9]).value(at: step, of: 20), expected))
        }
        // Milestones fall on their step for every length, rounding notwithstanding.
        for total in [7, 10, 30, 90, 1000] {
            for milestone in 1..<total {
                let schedule = Schedule.steps(1, factor: 0.5, milestones: [Double(milestone) / Double(total)])
                #expect(schedule.value(at: milestone - 1, of: total) == 1 && schedule.value(at: milestone, of: total) == 0.5)
            }
        }
    }

    @Test func warmUpRisesAndThenFollows() {
        let schedule = Schedule.warmUp(fraction: 0.1, from: 0, then: .cosine(from: 1, to: 0))
        for step in 0..<10 { #expect(close(schedule.value(at: step, of: 100), Double(step) / 10)) }
        for step in 10..<100 {
            #expect(close(schedule.value(at: step, of: 100), (1 + cos(.pi * Double(step - 10) / 90)) / 2))
        }
        let none = Schedule.warmUp(fraction: 0, from: 0, then: .constant(3))
        #expect(none.value(at: 0, of: 10) == 3)
    }

    @Test func edgesAreFinite() {
        let all = Schedule.warmUp(fraction: 1, from: 0, then: .cosine(from: 1, to: 0))
        for step in 0...10 { #expect(close(all.value(at: step, of: 10), Double(step) / 10)) }
        #expect(Schedule.cosine(from: 2, to: 1).value(at: 0, of: 0) == 2)
        #expect(close(Schedule.cosine(from: 2, to: 1).value(at: 50, of: 10), 1))
        #expect(Schedule.linear(from: 2, to: 1).value(at: -3, of: 10) == 2)
    }
}
