// The C library, by the name it has on each system. Files of this module that call it import it through this list.
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The system's text for the current `errno`.
func systemMessage(_ code: Int32 = errno) -> String { String(cString: strerror(code)) }
