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

    /// The two views of MoCo v2 and SimSiam (Chen et al. 2020, arXiv:2003.04297): SimCLR's with a milder colour jitter.
    public static func moCo(size: ImageSize) throws(AugmentationError) -> ViewRecipe {
        try ViewRecipe(views: [
            .crop("view", size, copies: 2, scale: 0.2...1, jitter: (0.4, 0.4, 0.4, 0.1), blur: size.shorter > 64 ? 0.5 : 0)
        ])
    }

    /// The two views of VICReg (Bardes et al. 2022, appendix C.1): BYOL's, made symmetric.
    public static func vicReg(size: ImageSize) throws(AugmentationError) -> ViewRecipe {
        try ViewRecipe(views: [
            .crop("view", size, copies: 2, jitter: (0.4, 0.4, 0.2, 0.1), blur: size.shorter > 64 ? 0.5 : 0, solarize: 0.1)
        ])
    }

    /// W-MSE's views (Ermolov et al. 2021, section 4): SimCLR's for CIFAR-10, of crops that are never tiny.
    public static func wMSE(size: ImageSize, copies: Int) throws(AugmentationError) -> ViewRecipe {
        try ViewRecipe(views: [.crop("view", size, copies: copies, scale: 0.2...1, jitter: (0.4, 0.4, 0.4, 0.1))])
    }

    /// The one view of instance discrimination (Wu et al. 2018, the authors' code).
    public static func instanceDiscrimination(size: ImageSize) throws(AugmentationError) -> ViewRecipe {
        let colours = ColorJitter(brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.4, p: 1)
        return try ViewRecipe(views: [
            View("view", size: size, [RandomResizedCrop(scale: 0.2...1), Grayscale(), colours, HorizontalFlip()])
        ])
    }

    /// CMC's one view (Tian et al. 2019, the authors' code): crop and flip, because the colours are what is told.
    public static func cmc(size: ImageSize) throws(AugmentationError) -> ViewRecipe {
        try ViewRecipe(views: [View("view", size: size, [RandomResizedCrop(scale: 0.2...1), HorizontalFlip()])])
    }

    /// CPC v2's one view (Hénaff et al. 2019, section 3), which the method cuts into patches.
    public static func cpc(size: ImageSize) throws(AugmentationError) -> ViewRecipe {
        try ViewRecipe(views: [.crop("view", size, scale: 0.3...1, jitter: (0.4, 0.4, 0.4, 0.1))])
    }

    /// BoWNet's image for the teacher, and its changed crop for the student (Gidaris et al. 2020, section 3.3).
    public static func bowNet(size: ImageSize) throws(AugmentationError) -> ViewRecipe {
        try ViewRecipe(views: [
            View("image", size: size, [RandomResizedCrop(scale: 0.2...1), HorizontalFlip()]),
            .crop("student", size, scale: 0.08...1, jitter: (0.4, 0.4, 0.4, 0.1)),
        ])
    }

    /// OBoW's image for the teacher, and the crops that the student sees (Gidaris et al. 2021, section 3.3 and appendix): large ones
    /// of 8 … 60 % of the area, and small ones, which the authors cut from a 3 × 3 grid and which are crops of that size here.
    public static func obow(
        size: ImageSize, largeSize: ImageSize, largeViews: Int, smallSize: ImageSize, smallViews: Int
    ) throws(AugmentationError) -> ViewRecipe {
        func crops(_ name: String, _ side: ImageSize, _ copies: Int, _ scale: ClosedRange<Double>) -> View {
            .crop(name, side, copies: copies, scale: scale, jitter: (0.4, 0.4, 0.4, 0.1), blur: size.shorter > 64 ? 0.5 : 0)
        }
        return try ViewRecipe(
            views: [View("image", size: size, [RandomResizedCrop(scale: 0.2...1), HorizontalFlip()])]
                + [crops("large", largeSize, largeViews, 0.08...0.6)]
                + (smallViews > 0 ? [crops("small", smallSize, smallViews, 0.05...0.14)] : []))
    }

    /// PIRL's image, and the view that is cut or turned (Misra and van der Maaten 2019, section 4 and appendix): the patches are
    /// cut in a crop of at least 60 % of the area. Colours change per view, where the authors change them per patch.
    public static func pirl(size: ImageSize) throws(AugmentationError) -> ViewRecipe {
        try ViewRecipe(views: [
            .crop("image", size, scale: 0.2...1, jitter: (0.4, 0.4, 0.4, 0.4)),
            .crop("transformed", size, scale: 0.6...1, jitter: (0.4, 0.4, 0.4, 0.4)),
        ])
    }

    /// ReSSL's student view, and its weak teacher view (Zheng et al. 2021, section 3.3): crop and flip alone.
    public static func reSSL(size: ImageSize) throws(AugmentationError) -> ViewRecipe {
        try ViewRecipe(views: [
            .crop("student", size, scale: 0.2...1, jitter: (0.4, 0.4, 0.4, 0.1), blur: size.shorter > 64 ? 0.5 : 0),
            View("teacher", size: size, [RandomResizedCrop(scale: 0.2...1), HorizontalFlip()]),
        ])
    }

    /// Multi-crop (Caron et al. 2020, SwAV): `large` views of 14 … 100 % and `small` of 5 … 14 % of the area.
    public static func multiCrop(
        size: ImageSize = 224, views: Int = 2, smallSize: ImageSize = 96, smallViews: Int = 6, strength s: Double = 1
    ) throws(AugmentationError) -> ViewRecipe {
        func view(_ name: String, _ side: ImageSize, _ copies: Int, _ scale: ClosedRange<Double>) -> View {
            .crop(name, side, copies: copies, scale: scale, jitter: (0.8 * s, 0.8 * s, 0.8 * s, 0.2 * s), blur: size.shorter > 64 ? 0.5 : 0)
        }
        return try ViewRecipe(
            views: [view("large", size, views, 0.14...1)] + (smallViews > 0 ? [view("small", smallSize, smallViews, 0.05...0.14)] : []))
    }

    /// DINO's multi-crop (Caron et al. 2021, section 3.2 and code): two large views that differ as BYOL's do, small ones between.
    public static func dino(
        size: ImageSize, smallSize: ImageSize, smallViews: Int, largeScale: ClosedRange<Double> = 0.4...1,
        smallScale: ClosedRange<Double> = 0.05...0.4
    ) throws(AugmentationError) -> ViewRecipe {
        func view(_ name: String, _ side: ImageSize, _ scale: ClosedRange<Double>, _ blur: Double, _ solarize: Double, _ copies: Int = 1)
            -> View
        {
            .crop(
                name, side, copies: copies, scale: scale, jitter: (0.4, 0.4, 0.2, 0.1), blur: size.shorter > 64 ? blur : 0,
                solarize: solarize)
        }
        return try ViewRecipe(
            views: [view("large0", size, largeScale, 1, 0), view("large1", size, largeScale, 0.1, 0.2)]
                + (smallViews > 0 ? [view("small", smallSize, smallScale, 0.5, 0, smallViews)] : []))
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

    /// Mean teacher's two views: of images up to 64 pixels translations (by 2 of 32 pixels) and flips, of larger ones crops, flips and
    /// colours (Tarvainen and Valpola 2017, appendix B).
    public static func meanTeacher(size: ImageSize) throws(AugmentationError) -> ViewRecipe {
        let steps: [any AugmentationStep] =
            size.shorter > 64
            ? [RandomResizedCrop(), HorizontalFlip(), ColorJitter(brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1)]
            : [Resize(), RandomCrop(padding: max(1, size.shorter / 16)), HorizontalFlip()]
        return try ViewRecipe(views: [View("view", size: size, copies: 2, steps)])
    }

    /// One crop, flipped half of the time unless asked otherwise: what masked modelling reconstructs.
    public static func crop(size: ImageSize, scale: ClosedRange<Double>, flips: Bool = true) throws(AugmentationError) -> ViewRecipe {
        let steps: [any AugmentationStep] = [RandomResizedCrop(scale: scale)]
        return try ViewRecipe(views: [View("view", size: size, steps + (flips ? [HorizontalFlip()] : []))])
    }

    /// Exemplar's views of an image, which are all drawn alike (Dosovitskiy et al. 2014, section 2.1): crops of at least half the area,
    /// flips, and changes of brightness, contrast, saturation and hue.
    public static func exemplar(size: ImageSize, copies: Int, strength s: Double) throws(AugmentationError) -> ViewRecipe {
        let colours = ColorJitter(brightness: 0.4 * s, contrast: 0.4 * s, saturation: 0.8 * s, hue: 0.1 * s, p: 1)
        return try ViewRecipe(views: [
            View("view", size: size, copies: copies, [RandomResizedCrop(scale: 0.5...1), HorizontalFlip(), colours])
        ])
    }

    /// MSN's views (Assran et al. 2022, the authors' code): the target's and the anchor's, which are alike, and small anchors.
    public static func msn(size: ImageSize, smallSize: ImageSize, smallViews: Int) throws(AugmentationError) -> ViewRecipe {
        let jitter = (brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1)
        let blur = size.shorter > 64 ? 0.5 : 0
        let large = View.crop("large", size, copies: 2, scale: 0.3...1, jitter: jitter, blur: blur)
        return try ViewRecipe(
            views: smallViews > 0
                ? [large, .crop("small", smallSize, copies: smallViews, scale: 0.05...0.3, jitter: jitter, blur: blur)] : [large])
    }

    /// Transformations of an image for S4L's exemplars (Zhai et al. 2019, section 4.2): crop, flip and colours.
    public static func s4lExemplar(size: ImageSize, copies: Int) throws(AugmentationError) -> ViewRecipe {
        let colours = ColorJitter(brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1)
        return try ViewRecipe(views: [View("view", size: size, copies: copies, [RandomResizedCrop(), HorizontalFlip(), colours])])
    }

    /// One view for training with labels: random resized crop and flip.
    public static func supervised(size: ImageSize) throws(AugmentationError) -> ViewRecipe {
        try ViewRecipe(views: [View("view", size: size, [RandomResizedCrop(), HorizontalFlip()])])
    }
}

extension View {
    /// The square image that a puzzle is cut from (Noroozi and Favaro 2016: 225 of 256 pixels).
    public static func puzzle(_ size: ImageSize) -> View {
        View("image", size: size, [Resize(shorter: size.shorter * 256 / 225), RandomCrop(), HorizontalFlip()])
    }

    /// Crop, flip, colours and what follows them, as most joint-embedding methods compose a view. Blur and
    /// solarisation of probability 0 are left out.
    static func crop(
        _ name: String, _ size: ImageSize, copies: Int = 1, scale: ClosedRange<Double> = 0.08...1,
        jitter: (brightness: Double, contrast: Double, saturation: Double, hue: Double), blur: Double = 0, solarize: Double = 0
    ) -> View {
        var steps: [any AugmentationStep] = [
            RandomResizedCrop(scale: scale), HorizontalFlip(),
            ColorJitter(brightness: jitter.brightness, contrast: jitter.contrast, saturation: jitter.saturation, hue: jitter.hue),
            Grayscale(),
        ]
        if blur > 0 { steps.append(GaussianBlur(p: blur)) }
        if solarize > 0 { steps.append(Solarize(p: solarize)) }
        return View(name, size: size, copies: copies, steps)
    }
}
