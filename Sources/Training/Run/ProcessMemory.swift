internal import Foundation

#if canImport(Darwin)
internal import Darwin
#endif

/// What this process holds in memory.
public enum ProcessMemory {
    /// The largest resident size so far, in bytes; 0 where the system does not say.
    public static var peak: Int {
        var usage = rusage()
        #if canImport(Darwin)
        guard getrusage(RUSAGE_SELF, &usage) == 0 else { return 0 }
        return usage.ru_maxrss
        #else
        guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return 0 }
        return usage.ru_maxrss * 1024
        #endif
    }

    /// The resident size now, in bytes.
    public static var resident: Int {
        #if os(Linux)
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8),
            let pages = text.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        else { return 0 }
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
        #else
        return peak
        #endif
    }

    /// What the machine has, in bytes.
    public static var physical: Int { Int(clamping: ProcessInfo.processInfo.physicalMemory) }
}
