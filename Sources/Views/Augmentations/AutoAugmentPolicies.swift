/// The learned policies: the paper's tables 9 (ImageNet) and 7 (CIFAR-10).
extension AutoAugment.Policy {
    public var pairs: [(AutoAugment.Entry, AutoAugment.Entry)] {
        switch self {
        case .imageNet: Self.imageNetPairs
        case .cifar10: Self.cifar10Pairs
        }
    }

    private static func entry(_ operation: PolicyOperation, _ p: Double, _ bin: Int = 0) -> AutoAugment.Entry {
        AutoAugment.Entry(operation: operation, p: p, bin: bin)
    }

    private static let imageNetPairs: [(AutoAugment.Entry, AutoAugment.Entry)] = [
        (entry(.posterize, 0.4, 8), entry(.rotate, 0.6, 9)),
        (entry(.solarize, 0.6, 5), entry(.autoContrast, 0.6)),
        (entry(.equalize, 0.8), entry(.equalize, 0.6)),
        (entry(.posterize, 0.6, 7), entry(.posterize, 0.6, 6)),
        (entry(.equalize, 0.4), entry(.solarize, 0.2, 4)),
        (entry(.equalize, 0.4), entry(.rotate, 0.8, 8)),
        (entry(.solarize, 0.6, 3), entry(.equalize, 0.6)),
        (entry(.posterize, 0.8, 5), entry(.equalize, 1)),
        (entry(.rotate, 0.2, 3), entry(.solarize, 0.6, 8)),
        (entry(.equalize, 0.6), entry(.posterize, 0.4, 6)),
        (entry(.rotate, 0.8, 8), entry(.color, 0.4, 0)),
        (entry(.rotate, 0.4, 9), entry(.equalize, 0.6)),
        (entry(.equalize, 0), entry(.equalize, 0.8)),
        (entry(.invert, 0.6), entry(.equalize, 1)),
        (entry(.color, 0.6, 4), entry(.contrast, 1, 8)),
        (entry(.rotate, 0.8, 8), entry(.color, 1, 2)),
        (entry(.color, 0.8, 8), entry(.solarize, 0.8, 7)),
        (entry(.sharpness, 0.4, 7), entry(.invert, 0.6)),
        (entry(.shearX, 0.6, 5), entry(.equalize, 1)),
        (entry(.color, 0.4, 0), entry(.equalize, 0.6)),
        (entry(.equalize, 0.4), entry(.solarize, 0.2, 4)),
        (entry(.solarize, 0.6, 5), entry(.autoContrast, 0.6)),
        (entry(.invert, 0.6), entry(.equalize, 1)),
        (entry(.color, 0.6, 4), entry(.contrast, 1, 8)),
        (entry(.equalize, 0.8), entry(.equalize, 0.6)),
    ]

    private static let cifar10Pairs: [(AutoAugment.Entry, AutoAugment.Entry)] = [
        (entry(.invert, 0.1), entry(.contrast, 0.2, 6)),
        (entry(.rotate, 0.7, 2), entry(.translateX, 0.3, 9)),
        (entry(.sharpness, 0.8, 1), entry(.sharpness, 0.9, 3)),
        (entry(.shearY, 0.5, 8), entry(.translateY, 0.7, 9)),
        (entry(.autoContrast, 0.5), entry(.equalize, 0.9)),
        (entry(.shearY, 0.2, 7), entry(.posterize, 0.3, 7)),
        (entry(.color, 0.4, 3), entry(.brightness, 0.6, 7)),
        (entry(.sharpness, 0.3, 9), entry(.brightness, 0.7, 9)),
        (entry(.equalize, 0.6), entry(.equalize, 0.5)),
        (entry(.contrast, 0.6, 7), entry(.sharpness, 0.6, 5)),
        (entry(.color, 0.7, 7), entry(.translateX, 0.5, 8)),
        (entry(.equalize, 0.3), entry(.autoContrast, 0.4)),
        (entry(.translateY, 0.4, 3), entry(.sharpness, 0.2, 6)),
        (entry(.brightness, 0.9, 6), entry(.color, 0.2, 8)),
        (entry(.solarize, 0.5, 2), entry(.invert, 0)),
        (entry(.equalize, 0.2), entry(.autoContrast, 0.6)),
        (entry(.equalize, 0.2), entry(.equalize, 0.6)),
        (entry(.color, 0.9, 9), entry(.equalize, 0.6)),
        (entry(.autoContrast, 0.8), entry(.solarize, 0.2, 8)),
        (entry(.brightness, 0.1, 3), entry(.color, 0.7, 0)),
        (entry(.solarize, 0.4, 5), entry(.autoContrast, 0.9)),
        (entry(.translateY, 0.9, 9), entry(.translateY, 0.7, 9)),
        (entry(.autoContrast, 0.9), entry(.solarize, 0.8, 3)),
        (entry(.equalize, 0.8), entry(.invert, 0.1)),
        (entry(.translateY, 0.7, 9), entry(.autoContrast, 0.9)),
    ]
}
