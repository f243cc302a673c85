internal import CTorch

/// Where a tensor lives.
public enum Device: Hashable, Sendable, CustomStringConvertible {
    case cpu
    case cuda(Int)
    case mps

    /// From `cpu`, `cuda`, `cuda:1` or `mps`; nil for anything else.
    public init?(_ name: String) {
        let parts = name.lowercased().split(separator: ":", omittingEmptySubsequences: false)
        switch (parts.first, parts.count) {
        case ("cpu", 1): self = .cpu
        case ("mps", 1): self = .mps
        case ("cuda", 1): self = .cuda(0)
        case ("cuda", 2):
            guard let index = Int(parts[1]), index >= 0 else { return nil }
            self = .cuda(index)
        default: return nil
        }
    }

    public var description: String {
        switch self {
        case .cpu: "cpu"
        case .cuda(let index): "cuda:\(index)"
        case .mps: "mps"
        }
    }

    /// Whether this libtorch and this machine have it.
    public var isAvailable: Bool {
        let (type, index) = code
        return index < Int(ct_device_count(Int32(type)))
    }

    /// The devices that could be used here, best first.
    public static var available: [Device] {
        let cuda = (0..<Int(ct_device_count(1))).map { Device.cuda($0) }
        return cuda + (Device.mps.isAvailable ? [.mps] : []) + [.cpu]
    }

    /// `c10::DeviceType` and index.
    var code: (type: Int, index: Int) {
        switch self {
        case .cpu: (0, 0)
        case .cuda(let index): (1, index)
        case .mps: (13, 0)
        }
    }

    init(type: Int, index: Int) {
        switch type {
        case 1: self = .cuda(index)
        case 13: self = .mps
        default: self = .cpu
        }
    }
}
