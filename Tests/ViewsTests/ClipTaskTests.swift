import Testing

@testable import Views

/// Which frames samples of clips show, and what is to be told of them.
@Suite struct ClipTaskTests {
    private func plans(_ task: some ClipTask, frames count: Int, _ samples: Int = 2000) throws -> [ClipPlan] {
        try task.validate()
        return (0..<samples).map { index in
            var random = ViewKey(seed: 4, epoch: 1, index: index, stream: -1).random()
            let plan = task.plan(count, &random)
            #expect(plan.frames.count == task.length && plan.labels.count == task.labels.count)
            #expect(plan.frames.allSatisfy { (0..<count).contains($0) }, "\(plan)")
            return plan
        }
    }

    private func steps(_ plan: ClipPlan) -> [Int] { zip(plan.frames, plan.frames.dropFirst()).map { $1 - $0 } }

    private func refusal(_ task: some ClipTask) -> String? {
        do throws(AugmentationError) {
            try task.validate()
            return nil
        } catch { return "\(error)" }
    }

    // MARK: Order

    @Test func halfOfAllOrdersAreToldApart() {
        for (frames, count) in [(3, 3), (4, 12), (5, 60)] {
            let orders = FrameOrder(.order, frames: frames, stride: 1).orders
            #expect(orders.count == count && Set(orders).count == count)
            #expect(orders.allSatisfy { $0.sorted() == Array(0..<frames) && !orders.contains($0.reversed()) })
            #expect(orders[0] == Array(0..<frames))
        }
    }

    @Test func ordersAreWhatTheLabelSays() throws {
        let task = FrameOrder(.order, frames: 4, stride: 3)
        #expect(task.leastFrames == 10 && task.classes == 12)
        var counts = [Int](repeating: 0, count: 12)
        var starts: Set<Int> = []
        var reversed = 0
        for plan in try plans(task, frames: 15) {
            let sorted = plan.frames.sorted()
            #expect(zip(sorted, sorted.dropFirst()).allSatisfy { $1 - $0 == 3 })
            let places = plan.frames.map { sorted.firstIndex(of: $0)! }
            let order = task.orders[plan.labels[0]]
            #expect(places == order || places == order.reversed())
            reversed += places == order ? 0 : 1
            counts[plan.labels[0]] += 1
            starts.insert(sorted[0])
        }
        // 167 ± 5 deviations.
        #expect(counts.allSatisfy { (105...230).contains($0) }, "\(counts)")
        #expect(starts == Set(0...5) && (880...1120).contains(reversed))
        #expect(task.meaning(of: "order", 1) == "1 2 4 3, or back")
        // A clip of just so many frames has one place.
        #expect(try plans(task, frames: 10, 50).allSatisfy { $0.frames.min() == 0 })
    }

    @Test func verificationIsShuffleAndLearn() throws {
        let task = FrameOrder(.verification, frames: 9, stride: 2)
        #expect(task.length == 3 && task.leastFrames == 9 && task.classes == 2)
        var kinds: [[Int]: Int] = [:]
        for plan in try plans(task, frames: 9) {
            // b and d are frames 2 and 6; a, c, e are 0, 4, 8.
            let isForward = plan.frames[0] == 2
            let kind = isForward ? plan.frames : plan.frames.reversed()
            #expect((plan.labels[0] == 1) == (kind == [2, 4, 6]))
            kinds[kind, default: 0] += 1
        }
        #expect(Set(kinds.keys) == [[2, 4, 6], [2, 0, 6], [2, 8, 6]])
        #expect((400...600).contains(kinds[[2, 4, 6]]!) && (640...860).contains(kinds[[2, 0, 6]]!), "\(kinds)")
        #expect(task.meaning(of: "order", 1) == "in order" && task.meaning(of: "order", 0) == "out of order")
    }

    @Test func arrowIsTheDirection() throws {
        let task = FrameOrder(.arrow, frames: 5, stride: 2)
        let all = try plans(task, frames: 20)
        for plan in all { #expect(Set(steps(plan)) == [plan.labels[0] == 0 ? 2 : -2]) }
        #expect((880...1120).contains(all.count { $0.labels[0] == 1 }))
        // Where a clip lies says nothing of its direction.
        func meanPlace(_ label: Int) -> Double {
            let places = all.filter { $0.labels[0] == label }.map { Double($0.frames.min()!) }
            return places.reduce(0, +) / Double(places.count)
        }
        #expect((meanPlace(0) - meanPlace(1)).magnitude < 0.8)
    }

    // MARK: Playback

    @Test func playbackIsWhatTheLabelSays() throws {
        let task = Playback(frames: 8, rates: [1, 2, 4], distorts: true)
        #expect(task.leastFrames == 29 && task.classes == 6)
        let all = try plans(task, frames: 40, 6000)
        var counts = [Int](repeating: 0, count: 6)
        for plan in all {
            let (label, steps) = (plan.labels[0], steps(plan))
            counts[label] += 1
            switch label {
            case 0..<3: #expect(Set(steps) == [[1, 2, 4][label]])
            case 3:
                // Even distances, out of order.
                let sorted = plan.frames.sorted()
                let distances = Set(zip(sorted, sorted.dropFirst()).map { $1 - $0 })
                #expect(distances.count == 1 && distances.isSubset(of: [1, 2, 4]))
                #expect(plan.frames != sorted && plan.frames != sorted.reversed())
            case 4:
                let turn = try #require(steps.firstIndex { $0 < 0 })
                #expect((2...5).contains(turn) && Set(steps.map(abs)).count == 1 && steps[turn...].allSatisfy { $0 < 0 })
            default: #expect(Set(steps).count > 1 && steps.allSatisfy { [1, 2, 4].contains($0) })
            }
        }
        #expect(counts.allSatisfy { (850...1150).contains($0) }, "\(counts)")
        #expect(Set(all.filter { $0.labels[0] == 4 }.map { steps($0).firstIndex { $0 < 0 }! }) == Set(2...5))
        // The middle of a sample's place says nothing of how it is played: about 19.5 for all.
        for label in 0..<6 {
            let middles = all.filter { $0.labels[0] == label }.map { Double($0.frames.min()! + $0.frames.max()!) / 2 }
            let mean = middles.reduce(0, +) / Double(middles.count)
            #expect((mean - 19.5).magnitude < 1, "\(label): \(mean)")
        }
        #expect(
            (0..<6).map { task.meaning(of: "playback", $0) }.joined(separator: ", ")
                == "speed 1, speed 2, speed 4, random order, forwards and back, warped")
    }

    @Test func playbackWithoutDistortions() throws {
        let task = Playback(frames: 2, rates: [3, 1])
        #expect(task.classes == 2 && task.leastFrames == 4)
        for plan in try plans(task, frames: 4, 200) { #expect(steps(plan) == [plan.labels[0] == 0 ? 3 : 1]) }
    }

    // MARK: Windows

    @Test func windowsAreEven() throws {
        let task = ClipWindow(frames: 5, stride: 3)
        let all = try plans(task, frames: 17, 400)
        #expect(all.allSatisfy { Set(steps($0)) == [3] && $0.labels.isEmpty } && Set(all.map(\.frames[0])) == Set(0...4))
        #expect(task.leastFrames == 13 && task.groups == [0, 0, 0, 0, 0])
    }

    /// P(Δ) ∝ D + 1 − Δ.
    @Test func pairsAreLikelierTheNearerTheyAre() throws {
        let task = ClipWindowPair(frames: 2, stride: 3, farthest: 3)
        #expect(task.leastFrames == 5 && task.groups == [0, 0, 1, 1] && task.length == 4)
        var counts = [Int](repeating: 0, count: 4)
        var firstIsEarlier = 0
        for plan in try plans(task, frames: 20, 10_000) {
            #expect(steps(plan)[0] == 3 && steps(plan)[2] == 3)
            let distance = plan.frames[2] - plan.frames[0]
            counts[abs(distance)] += 1
            firstIsEarlier += distance > 0 ? 1 : 0
        }
        for (distance, share) in [0.4, 0.3, 0.2, 0.1].enumerated() {
            #expect((Double(counts[distance]) / 10_000 - share).magnitude < 0.025, "\(counts)")
        }
        #expect((2750...3250).contains(firstIsEarlier))
        // As far as the clip reaches: windows of 4 frames in 10.
        let whole = try plans(ClipWindowPair(frames: 2, stride: 3), frames: 10, 4000).map { abs($0.frames[2] - $0.frames[0]) }
        #expect(Set(whole) == Set(0...6))
        #expect((Double(whole.count { $0 == 6 }) / 4000 - 1.0 / 28).magnitude < 0.015)
    }

    @Test func senselessTasksAreRefused() {
        #expect(refusal(FrameOrder(.order, frames: 6, stride: 1)) == "frame order: of 3 to 5 frames, not 6")
        #expect(refusal(FrameOrder(.arrow, frames: 1, stride: 1)) == "frame order: of 2 frames or more, not 1")
        #expect(refusal(FrameOrder(.arrow, frames: 6, stride: 0)) == "frame order: the stride is 0, but must be at least 1")
        #expect(refusal(Playback(frames: 3, rates: [1, 2], distorts: true)) == "playback: of 4 frames or more, not 3")
        #expect(
            refusal(Playback(frames: 8, rates: [2, 2]))
                == "playback: rates are [2, 2], but must be two different numbers from 1 on or more")
        #expect(refusal(ClipWindow(frames: 1, stride: 1)) == "window: of 1 frames, but 2 are needed")
        #expect(refusal(ClipWindowPair(frames: 1, stride: 1, farthest: -1)) == "windows: the distance cannot be negative")
    }
}
