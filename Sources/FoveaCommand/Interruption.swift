import Foundation
import Synchronization

/// Ctrl-C and a polite kill: the first asks the run to save and stop, the second stops at once. While a run is only made ready
/// there is nothing to save, and the first stops at once.
enum Interruption {
    private static let requests = Atomic<Int>(0)
    private static let isPreparing = Atomic<Bool>(false)

    static var isRequested: Bool { requests.load(ordering: .relaxed) > 0 }

    /// Makes ready what a signal may break off.
    static func preparing<Result>(_ body: () throws -> Result) rethrows -> Result {
        isPreparing.store(true, ordering: .relaxed)
        defer { isPreparing.store(false, ordering: .relaxed) }
        return try body()
    }

    static func watch() {
        // Whoever started us may have them blocked, and a child begins with what its parent's thread blocks.
        var watched = sigset_t()
        sigemptyset(&watched)
        for signal in [SIGINT, SIGTERM] { sigaddset(&watched, signal) }
        pthread_sigmask(SIG_UNBLOCK, &watched, nil)
        for signal in [SIGINT, SIGTERM] {
            Foundation.signal(signal) { _ in
                if Interruption.requests.add(1, ordering: .relaxed).oldValue > 0 { _exit(130) }
                if Interruption.isPreparing.load(ordering: .relaxed) {
                    let message = "\nfovea: stopped before it began\n"
                    _ = message.withCString { write(STDERR_FILENO, $0, strlen($0)) }
                    _exit(130)
                }
                let message = "\nfovea: stopping after this step, with a checkpoint; once more to stop at once\n"
                _ = message.withCString { write(STDERR_FILENO, $0, strlen($0)) }
            }
        }
    }
}
