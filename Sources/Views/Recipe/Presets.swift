/// The published recipes.
extension ViewRecipe {
    /// Two views of SimCLR (Chen et al. 2020, appendix A).
    ///
    /// - Parameters:
    ///   - strength: s of the paper; 1 on ImageNet, 0.5 on CIFAR-10.
    ///   - blur: The paper blurs half of the views on ImageNet and none on CIFAR-10: images up to 64 pixels are never
    ///     blurred.
    public static func simCLR(size: ImageSize, strength: Double = 1, blur: Bool = true) throws(AugmentationError) -> ViewRecipe {
        let s = strength
        var steps: [any AugmentationStep] = [
            RandomResizedCrop(), HorizontalFlip(),
            ColorJitter(brightness: 0.8 * s, contrast: 0.8 * s, saturation: 0.8 * s, hue: 0.2 * s), Grayscale(),
        ]
        if blur, size.shorter > 64 { steps.append(GaussianBlur()) }
        return try ViewRecipe(views: [View("view", size: size, copies: 2, steps)])
    }

    /// The two views of BYOL, which differ in blur and solarisation (Grill et al. 2020, table 6). Images up to 64 pixels are
    /// not blurred, as SimCLR's are not.
    public static func byol(size: ImageSize) throws(AugmentationError) -> ViewRecipe {
        func steps(blur: Double, solarize: Double) -> [any AugmentationStep] {
            let colours: [any AugmentationStep] = [
                RandomResizedCrop(), HorizontalFlip(), ColorJitter(brightness: 0.4, contrast: 0.4, saturation: 0.2, hue: 0.1), Grayscale(),
            ]
            return colours + (size.shorter > 64 ? [GaussianBlur(p: blur)] : []) + [Solarize(p: solarize)]
        }
        return try ViewRecipe(views: [
            View("view0", size: size, steps(blur: 1, solarize: 0)), View("view1", size: size, steps(blur: 0.1, solarize: 0.2)),
        ])
    }

    /// Multi-crop (Caron et al. 2020, SwAV): `large` views of 14 … 100 % and `small` of 5 … 14 % of the area.
    public static func multiCrop(
        size: ImageSize = 224, views: Int = 2, smallSize: ImageSize = 96, smallViews: Int = 6, strength: Double = 1
    ) throws(AugmentationError) -> ViewRecipe {
        func view(_ name: String, _ size: ImageSize, _ copies: Int, _ scale: ClosedRange<Double>) -> View {
            let s = strength
            return View(
                name, size: size, copies: copies,
                [
                    RandomResizedCrop(scale: scale), HorizontalFlip(),
                    ColorJitter(brightness: 0.8 * s, contrast: 0.8 * s, saturation: 0.8 * s, hue: 0.2 * s), Grayscale(), GaussianBlur(),
                ])
        }
        return try ViewRecipe(views: [
            view("large", size, views, 0.14...1), view("small", smallSize, smallViews, 0.05...0.14),
        ])
    }

    /// One crop of each image in its four orientations (Gidaris et al. 2018). The crop is the ImageNet one of the paper
    /// (a tenth larger, then random), or CIFAR's padded one for sides up to 64. The view must be square.
    public static func rotNet(size: ImageSize) throws(AugmentationError) -> ViewRecipe {
        let crop: [any AugmentationStep] =
            size.shorter > 64
            ? [Resize(shorter: size.shorter * 256 / 224), RandomCrop(), HorizontalFlip()]
            : [Resize(), RandomCrop(padding: size.shorter / 8), HorizontalFlip()]
        return try ViewRecipe(views: (0..<4).map { View("rotated\(90 * $0)", size: size, stream: 0, crop + [QuarterTurn($0)]) })
    }

    /// One view without chance, for features: the ImageNet protocol (shorter side to 256 ⁄ 224 of the size, centre crop),
    /// or exactly the size for sides up to 64.
    public static func evaluation(size: ImageSize) throws(AugmentationError) -> ViewRecipe {
        let steps: [any AugmentationStep] =
            size.shorter > 64
            ? [Resize(shorter: max(size.height, size.width) * 256 / 224), CenterCrop()] : [Resize()]
        return try ViewRecipe(views: [View("view", size: size, steps)])
    }

    /// One view for training with labels: random resized crop and flip.
    public static func supervised(size: ImageSize) throws(AugmentationError) -> ViewRecipe {
        try ViewRecipe(views: [View("view", size: size, [RandomResizedCrop(), HorizontalFlip()])])
    }
}
