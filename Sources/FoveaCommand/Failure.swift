import ArgumentParser
import Fovea
import Foundation

/// One line for everything that goes wrong, and a non-zero exit.
enum Failure {
    /// From now on a failed tensor operation ends the process like any other error.
    static func install() {
        TensorFailureHandler.handle = { failure in
            report("\(failure)")
            // Loader threads may be at work, which the usual exit would pull the ground from under.
            fflush(nil)
            _exit(1)
        }
    }

    static func exit(_ error: any Error) -> Never {
        switch FoveaCommand.exitCode(for: error) {
        case .success: FoveaCommand.exit(withError: error)
        case .validationFailure:
            // Of the parser's several lines the first; the usage is one option away.
            report("\(FoveaCommand.message(for: error)) (\(helpCommand) shows what there is)")
            Foundation.exit(ExitCode.validationFailure.rawValue)
        case let code:
            if error is ExitCode { Foundation.exit(code.rawValue) }
            report("\(error)")
            Foundation.exit(1)
        }
    }

    private static var helpCommand: String {
        let verb = CommandLine.arguments.dropFirst().first { argument in
            FoveaCommand.configuration.subcommands.contains { $0._commandName == argument }
        }
        return (["fovea"] + (verb.map { [$0] } ?? []) + ["--help"]).joined(separator: " ")
    }

    private static func report(_ message: String) {
        let line = message.split(separator: "\n", omittingEmptySubsequences: true).joined(separator: " ")
        Terminal.say("fovea: error: \(line)")
    }
}
