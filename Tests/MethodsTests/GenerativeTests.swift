import Backbones
import Foundation
import TestSupport
import Testing
import Torch
import Views

@testable import Methods

/// Colorization, split-brain, autoencoders, context encoder, exemplar and BigBiGAN against their formulas in float64
/// (generate_generative.py); targets, masks, and what the networks see.
@Suite struct GenerativeTests {
    private typealias Loss = ([Tensor]) -> Tensor

    private func values(_ name: String) throws -> ReferenceValues { try ReferenceValues.load("generative").under(name) }

    private func check(_ name: String, _ inputs: [String], _ loss: Loss, _ wrong: [(String, Loss)] = []) throws {
        #expect(try mistake(name, inputs, in: "generative", loss) == nil)
        for (what, loss) in wrong { #expect(try mistake(name, inputs, in: "generative", loss) != nil, "\(what)") }
    }

    private func made<Method: SelfSupervisedMethod>(
        _ type: Method.Type, imageSize: Int = 16, _ change: (inout Method.Settings) -> Void = { _ in }
    ) throws -> Method {
        var settings = try tiny(Method.Settings())
        change(&settings)
        try settings.validate()
        Runtime.seed(61)
        return try Method(settings, tinyContext(imageSize: imageSize))
    }

    // MARK: Colours

    @Test func labIsScikitImages() throws {
        let values = try values("lab")
        expectClose(ColourSpace.lab(values["rgb"]), values["lab"], Tolerance(relative: 1e-4, absolute: 2e-2))
        expectClose(ColourSpace.rgb(values["other"]), values["back"], Tolerance(relative: 1e-4, absolute: 1e-4))
        expectClose(ColourSpace.rgb(ColourSpace.lab(values["rgb"])), values["rgb"], Tolerance(relative: 1e-6, absolute: 1e-6))
    }

    @Test func binsAreThoseThatColoursLieIn() throws {
        let centres = try values("bins")["centres"]
        #expect(ColourBins.count == 261)
        expectSame(Tensor(ColourBins.centres.flatMap { $0 }, [261, 2]), centres)
        // Every colour's nearest bin is the square that it lies in.
        Runtime.seed(1)
        let ab = ColourBins.rows(ColourSpace.lab(.rand([1, 3, 64, 64], .float64)).narrowed(1, from: 1, count: 2))
        let nearest = centres.rows(ColourBins.nearest(ab, 1).bins.flattened())
        expectClose(nearest, (ab / 10 + 0.5).floor() * 10, .exact)
        #expect(ColourBins.histogram(ab).sum().item == 4096)
    }

    @Test func rareColoursWeighMore() throws {
        let values = try values("balance")
        let counts = values["counts"]
        expectClose(ColourBins.balance(counts, uniformShare: 0.3, softness: 7), values["weights"], .float64)
        #expect(difference(ColourBins.balance(counts, uniformShare: 0.7, softness: 7), values["weights"], .float64) != nil, "λ")
        #expect(difference(ColourBins.balance(counts, uniformShare: 0.3, softness: 5), values["weights"], .float64) != nil, "σ")
        // All alike where chance decides alone.
        expectClose(ColourBins.balance(counts, uniformShare: 1, softness: 5), .ones([261], .float64), .float64)
    }

    @Test func colours() throws {
        func loss(_ x: [Tensor], _ neighbours: Int = 4, _ softness: Double = 7) -> Tensor {
            ColourBins.crossEntropy(x[0], x[1].detached(), neighbours: neighbours, softness: softness, weights: x[2].detached())
        }
        try check(
            "colours", ["logits", "ab", "weights"], { loss($0) },
            [
                ("neighbours", { loss($0, 5) }), ("σ", { loss($0, 4, 5) }), ("hard", { loss($0, 1) }),
                ("not weighted", { ColourBins.crossEntropy($0[0], $0[1].detached(), neighbours: 4, softness: 7, weights: nil) }),
                ("a and b exchanged", { loss([$0[0], $0[1].flipped(1), $0[2]]) }),
                ("places shifted", { loss([$0[0], $0[1].rolled(1, dimension: 3), $0[2]]) }),
            ])
        let values = try values("colours")
        expectClose(ColourBins.annealedMean(values["logits"], temperature: 0.38), values["annealed"], .float64)
        #expect(difference(ColourBins.annealedMean(values["logits"], temperature: 1), values["annealed"], .float64) != nil)
        try check("regression", ["prediction", "ab"], { Colorization.regression($0[0], $0[1].detached()) })
        try check(
            "lightness", ["logits", "lightness"], { SplitBrain.lightness($0[0], $0[1].detached()) },
            [("rounded", { SplitBrain.lightness($0[0], $0[1].detached() + 0.5) })])
    }

    /// Lightness alone reaches the network: pixels of other colours and the same lightness give the same features.
    @Test func colorizationSeesLightness() throws {
        let method = try made(Colorization.self)
        let batch = noise(1, 4)
        let lab = ColourSpace.lab(batch.views[0].unit)
        let grey = Tensor.concatenated([lab.narrowed(1, from: 0, count: 1), Tensor.zeros([4, 2, 16, 16])], dimension: 1)
        method.eval()
        expectClose(method.encoder(ColourSpace.rgb(grey) * 255), method.encoder(batch.views[0]), Tolerance(relative: 1e-3, absolute: 1e-3))
        #expect(method.stateDict["encoder.conv1.weight"]?.shape == [4, 1, 3, 3])
        #expect(method.encoder.settings.channels == [1] && method.encoder.input == .lightness)
        try withTemporaryFolder { folder in
            try EncoderFile.write(method.encoder, to: "\(folder)/encoder.safetensors")
            let read = try EncoderFile.read("\(folder)/encoder.safetensors")
            expectSame(read(batch.views[0]), method.encoder(batch.views[0]))
        }
        let target = method.target(batch.views[0])
        #expect(target.shape == [4, 2, 4, 4])
        expectClose(target[1][0][2][3], lab[1][1].narrowed(0, from: 8, count: 4).narrowed(1, from: 12, count: 4).mean(), .float32)
    }

    /// What `prepareRun` counts is what decides the weights.
    private struct Pictures: RunServices {
        let pixels: Tensor
        var sampleCount: Int { pixels.size(0) }
        var batchSize: Int { 4 }
        var labels: [Int] { [] }
        func features(_ body: (Tensor) -> Tensor) throws -> Tensor {
            inference { .concatenated(pixels.split(3).map { body($0) }) }
        }
        func setOrder(_ indices: [Int]) {}
        func resetOptimizerState(of module: Module) {}
    }

    @Test func weightsAreOfTheTrainingImages() throws {
        let pixels = noise(1, 8).views[0]
        let method = try made(Colorization.self)
        try method.prepareRun(Pictures(pixels: pixels))
        let counts = ColourBins.histogram(ColourBins.rows(method.target(pixels)))
        expectClose(
            method.balance.value, ColourBins.balance(counts, uniformShare: 0.5, softness: 5).to(.float32), .float32)
        #expect(method.balance.value.min().item < 0.9 * method.balance.value.max().item)
        let regression = try made(Colorization.self) { $0.objective = .regression }
        try regression.prepareRun(Pictures(pixels: pixels))
        expectSame(regression.balance.value, .ones([261]))
    }

    /// Neither half can see what it tells: the colours' loss does not move the features of the colours, nor the other way round.
    @Test(arguments: [Colorization.Settings.Objective.classification, .regression])
    func splitBrainsDoNotCopy(_ objective: Colorization.Settings.Objective) throws {
        let method = try made(SplitBrain.self) { $0.objective = objective }
        let batch = noise(1, 4)
        for (part, blind) in [(0, "encoder.streams.1."), (1, "encoder.streams.0.")] {
            method.clearGradients()
            method.loss(batch, firstStep).parts[part].value.backward()
            for (key, parameter) in method.namedParameters where key.hasPrefix("encoder.streams.") {
                #expect(
                    (parameter.value.gradient == nil || parameter.value.gradient!.abs().max().item == 0) == key.hasPrefix(blind), "\(key)")
            }
        }
    }

    // MARK: Autoencoders

    @Test func noiseIsTheSettings() {
        Runtime.seed(3)
        let pixels = (Tensor.rand([20, 3, 32, 32]) * 254 + 0.5).to(.uint8).clamped(1, 254)
        #expect(Autoencoder.corrupted(pixels, .none, level: 0.5) === pixels)
        let masked = Autoencoder.corrupted(pixels, .masking, level: 0.3)
        #expect((masked.equal(0).to(.float64).mean().item - 0.3).magnitude < 0.01)
        #expect(masked.equal(0).to(.float64).equal(masked.equal(pixels.to(.float32)).not.to(.float64)).all().item == 1)
        let salted = Autoencoder.corrupted(pixels, .saltAndPepper, level: 0.4)
        for extreme in [0.0, 255] { #expect((salted.equal(extreme).to(.float64).mean().item - 0.2).magnitude < 0.01, "\(extreme)") }
        #expect((salted.equal(pixels.to(.float32)).to(.float64).mean().item - 0.6).magnitude < 0.01)
        let noise = (Autoencoder.corrupted(pixels, .gaussian, level: 0.1) - pixels.to(.float32)).to(.float64)
        #expect(noise.mean().item.magnitude < 0.3 && (noise.squared().mean().item.squareRoot() - 25.5).magnitude < 0.3)
        // Values on their own: channels of a pixel are not hidden together.
        let hidden = masked.equal(0).to(.float64)
        #expect((hidden.selected(1, 0) * hidden.selected(1, 1)).mean().item < 0.12)
    }

    @Test func targetsAreWithoutNoise() throws {
        let method = try made(Autoencoder.self) {
            $0.noise = .saltAndPepper
            $0.noiseLevel = 0.5
        }
        let batch = noise(1, 6)
        Runtime.seed(5)
        let loss = method.loss(batch, firstStep).total
        Runtime.seed(5)
        let noisy = Autoencoder.corrupted(batch.views[0], .saltAndPepper, level: 0.5)
        let image = method.decoder(method.encoder(noisy))
        #expect(image.shape == [6, 3, 16, 16])
        expectClose(loss, (image - method.encoder.input(batch.views[0])).squared().mean(), .float32)
        #expect(difference(loss, (image - method.encoder.input(noisy)).squared().mean(), .float32) != nil)
        expectClose(
            method.encoder.input.pixels(method.encoder.input(batch.views[0])), batch.views[0].to(.float32),
            Tolerance(relative: 0, absolute: 1e-3))
    }

    @Test func divergenceIsTorchs() throws {
        try check(
            "divergence", ["mean", "log_variance"], { VariationalAutoencoder.divergence($0[0], $0[1]) },
            [
                ("halved", { VariationalAutoencoder.divergence($0[0], $0[1]) / 2 }),
                ("deviation for variance", { VariationalAutoencoder.divergence($0[0], $0[1] * 2) }),
                ("averaged over the code", { VariationalAutoencoder.divergence($0[0], $0[1]) / 32 }),
            ])
        #expect(VariationalAutoencoder.divergence(.zeros([3, 4]), .zeros([3, 4])).item == 0)
        Runtime.seed(7)
        let z = VariationalAutoencoder.sample(
            .full([4000, 2], 3, .float64), .full([4000, 2], log(0.25), .float64), noise: .randn([4000, 2], .float64))
        #expect((z.mean().item - 3).magnitude < 0.03 && (z.variance(0).mean().item - 0.25).magnitude < 0.02)
    }

    /// The two parts are the ELBO per value.
    @Test func variationalLossIsTheBound() throws {
        let method = try made(VariationalAutoencoder.self) { $0.variance = 0.3 }
        let batch = noise(1, 6)
        Runtime.seed(9)
        let losses = method.loss(batch, firstStep)
        Runtime.seed(9)
        let parts = method.posterior(method.encoder(batch.views[0])).chunks(2, dimension: 1)
        let z = parts[0] + (parts[1] / 2).exp() * Tensor.randn(parts[0].shape)
        let squares = (method.decoder(z) - method.encoder.input(batch.views[0])).squared().sum(1, 2, 3)
        let bound = (squares / (2 * 0.3)).mean() + VariationalAutoencoder.divergence(parts[0], parts[1])
        expectClose(losses.total, bound / 768, .float32)
    }

    // MARK: Context encoder

    @Test func fillingIn() throws {
        func loss(_ x: [Tensor]) -> Tensor { ContextEncoder.reconstruction(x[0], x[1].detached(), x[2].detached()) }
        try check(
            "central", ["prediction", "target", "weights"], loss,
            [
                ("the rim like the rest", { loss([$0[0], $0[1], $0[2].onesLike()]) }),
                ("over the weights", { loss($0) * 64 / $0[2].detached().sum() }),
            ])
        try check(
            "regions", ["prediction", "target", "weights"], loss,
            [("what is seen", { loss([$0[0], $0[1], 1 - $0[2]]) }), ("everything", { loss([$0[0], $0[1], $0[2].onesLike()]) })])
    }

    @Test func masks() throws {
        // The middle 12 of 32 hidden, 16 predicted.
        let central = try made(ContextEncoder.self, imageSize: 32) { $0.overlap = 2 }
        let mask = central.mask(5)
        #expect(mask.shape == [1, 1, 32, 32] && mask.sum().item == 144)
        #expect(mask[0][0].narrowed(0, from: 10, count: 12).narrowed(1, from: 10, count: 12).min().item == 1)
        #expect(ContextEncoder.centre(mask).shape == [1, 1, 16, 16] && ContextEncoder.centre(mask).sum().item == 144)
        Runtime.seed(11)
        for (masks, what) in [
            (RegionMasks.blocks(40, side: 32, share: 0.25), "blocks"), (RegionMasks.regions(40, side: 32, share: 0.25), "regions"),
        ] {
            #expect(masks.shape == [40, 1, 32, 32] && (masks * (1 - masks)).abs().max().item == 0, "\(what)")
            let shares = masks.mean(1, 2, 3).doubles
            #expect(shares.allSatisfy { $0 > 0 && $0 <= 0.2501 } && masks.mean().item > 0.15, "\(what): \(shares)")
            #expect(Set((0..<40).map { masks[$0].bytes }).count == 40, "\(what)")
            // Neighbours are hidden together.
            let pairs = (masks.narrowed(3, from: 0, count: 31) * masks.narrowed(3, from: 1, count: 31)).mean().item
            #expect(pairs > 0.6 * masks.mean().item, "\(what)")
        }
        expectClose(RegionMasks.regions(9, side: 24, share: 0.25).sum(1, 2, 3), .full([9], 144), .exact)
    }

    /// Of what is hidden nothing reaches the network.
    @Test(arguments: [ContextEncoder.Settings.Region.central, .blocks, .regions])
    func hiddenPixelsDoNotMatter(_ region: ContextEncoder.Settings.Region) throws {
        let method = try made(ContextEncoder.self) {
            $0.region = region
            $0.overlap = 1
        }
        method.eval()
        let pixels = noise(1, 4).views[0].to(.float32)
        func filled(_ pixels: Tensor) -> Tensor {
            Runtime.seed(13)
            return method.pictures(of: pixels)[1].images
        }
        Runtime.seed(13)
        let mask = method.mask(4)
        let other = pixels * (1 - mask) + (255 - pixels) * mask
        expectClose(filled(other), filled(pixels), Tolerance(relative: 1e-4, absolute: 2e-2))
        #expect(difference(filled(255 - pixels), filled(pixels), Tolerance(relative: 1e-2, absolute: 1)) != nil)
    }

    /// The first phase moves the network by both losses, the second the discriminator alone.
    @Test func phasesAreOfTwoNetworks() throws {
        let method = try made(ContextEncoder.self) { $0.overlap = 1 }
        #expect(method.phases.map(\.name) == ["network", "discriminator"])
        let (network, critic) = (method.phases[0].parts, method.phases[1].parts)
        #expect(Set((network + critic).flatMap(\.parameters).map(ObjectIdentifier.init)).count == method.parameters.count)
        let batch = noise(1, 4)
        let losses = method.loss(batch, firstStep)
        #expect(losses.parts.map(\.name) == ["reconstruction", "adversarial"])
        losses.total.backward()
        #expect(network.flatMap(\.parameters).allSatisfy { $0.value.gradient != nil })
        method.clearGradients()
        method.loss(batch, Step(epoch: 0, index: 0, total: 10, phase: 1)).total.backward()
        #expect(network.flatMap(\.parameters).allSatisfy { $0.value.gradient == nil })
        #expect(critic.flatMap(\.parameters).allSatisfy { $0.value.gradient != nil })
        let alone = try made(ContextEncoder.self) {
            $0.overlap = 1
            $0.adversarialWeight = 0
        }
        #expect(alone.phases.count == 1 && alone.discriminator == nil && alone.loss(batch, firstStep).parts.count == 1)
        #expect(
            message { try made(ContextEncoder.self) { $0.overlap = 4 } }
                == "method.overlap (4) leaves nothing of a square of 8 pixels: take at most 3")
    }

    @Test func channelsAreOnTheirOwn() throws {
        let values = try values("channelwise")
        let layer = ChannelwiseLinear(channels: 6, places: 6)
        layer.convert(to: .float64)
        try layer.load(["weight": values["weight"], "bias": values["bias"]])
        expectClose(layer(values["maps"]), values["result"], .float64)
        #expect(layer.parameterCount == 6 * 36 + 36)
    }

    @Test func adversarialLosses() throws {
        try check(
            "logistic", ["real", "made"], { Adversarial.logistic(real: $0[0], made: $0[1]) },
            [("exchanged", { Adversarial.logistic(real: $0[1], made: $0[0]) })])
        try check("deceiving", ["made"], { Adversarial.deceiving($0[0]) }, [("fading", { -$0[0].softplus().mean() })])
        try check(
            "hinge", ["real", "made"], { Adversarial.hinge(real: $0[0], made: $0[1]) },
            [("exchanged", { Adversarial.hinge(real: $0[1], made: $0[0]) })])
        func joint(_ x: [Tensor], _ kind: BigBiGAN.Settings.Loss = .hinge) -> Tensor {
            (0..<3).map { BigBiGAN.loss(kind, real: x[$0], made: x[3 + $0], isDiscriminator: false) }.reduce(Tensor(scalar: 0.0), +)
        }
        try check(
            "encoder_generator", ["real0", "real1", "real2", "made0", "made1", "made2"], { joint($0) },
            [("logistic", { joint($0, .logistic) }), ("sign", { -joint($0) })])
    }

    // MARK: Exemplar

    @Test func tripletsOfManyViews() throws {
        try check(
            "triplets", ["z"], { Triplet.triplet($0[0], views: 3, margin: 0.5, mining: .semiHard) },
            [
                ("margin", { Triplet.triplet($0[0], views: 3, margin: 0.2, mining: .semiHard) }),
                ("hardest", { Triplet.triplet($0[0], views: 3, margin: 0.5, mining: .hardest) }),
                ("pairs", { Triplet.triplet($0[0], views: 2, margin: 0.5, mining: .semiHard) }),
            ])
    }

    @Test func exemplarsAreClassesByIndex() throws {
        let method = try made(Exemplar.self)
        var batch = noise(2, 6)
        batch.indices = Tensor([90, 3, 41, 7, 99, 0])
        let losses = method.loss(batch, firstStep)
        #expect(method.head.weight.value.shape == [100, 32])
        let logits = method.head(method.encoder(.concatenated(batch.views)))
        expectClose(losses.total, logits.crossEntropy(Tensor([90, 3, 41, 7, 99, 0, 90, 3, 41, 7, 99, 0])), .float32)
        #expect(losses.measures.map(\.name) == ["exemplar_accuracy"])
        #expect(
            message {
                try made(Exemplar.self) {
                    $0.form = .triplet
                    $0.copies = 1
                }
            }?.contains("method.copies must be at least 2") == true)
        var settings = Exemplar.Settings()
        settings.copies = 5
        #expect(try Exemplar.views(settings, imageSize: 16).outputs.count == 5)
    }

    // MARK: BigBiGAN

    @Test func spectralNormIsTorchs() throws {
        let values = try values("spectral")
        let weight = values["weight"]
        weight.requiresGradient = true
        let norm = SpectralNorm(weight)
        try norm.load(["u": values["u"], "v": values["v"]])
        _ = norm(weight)
        let second = norm(weight)
        (second * values["direction"]).sum().backward()
        expectClose(second.detached(), values["second"], .float64)
        expectClose(try #require(weight.gradient), values["gradient"], .float64)
        expectClose(norm.u.value, values["u_after"], .float64)
        // In evaluation it stands still.
        norm.eval()
        expectSame(norm(weight).detached(), norm(weight).detached())
        expectClose(norm.u.value, values["u_after"], .float64)
        // A fresh one is near.
        let fresh = SpectralNorm(values["weight"].to(.float32))(values["weight"].to(.float32)).contiguous().flattened(from: 1)
        #expect((fresh.singularValues()[0].item - 1).magnitude < 0.1)
    }

    @Test(arguments: [true, false]) func jointPhases(_ isBig: Bool) throws {
        let method = try made(BigBiGAN.self) {
            $0.unaryTerms = isBig
            $0.stochastic = isBig
            $0.loss = isBig ? .hinge : .logistic
        }
        let batch = noise(1, 4)
        let (network, critic) = (method.phases[0].parts.flatMap(\.parameters), method.phases[1].parts.flatMap(\.parameters))
        #expect(method.phases[1].repeats == 2 && network.count + critic.count == method.parameters.count)
        let losses = method.loss(batch, firstStep)
        #expect(losses.parts.map(\.name) == (isBig ? ["image", "latent", "joint"] : ["joint"]))
        losses.total.backward()
        #expect(network.allSatisfy { $0.value.gradient != nil })
        method.clearGradients()
        method.loss(batch, Step(epoch: 0, index: 0, total: 10, phase: 1)).total.backward()
        #expect(network.allSatisfy { $0.value.gradient == nil })
        let reached = method.discriminator.namedParameters.filter { $0.parameter.value.gradient != nil }.map(\.key)
        let unary = reached.contains { $0.hasPrefix("image_score") || $0.hasPrefix("latent_score") }
        #expect(unary == isBig && reached.contains("joint_score.weight"))
        #expect(method.embedding(.randn([3, 32]))?.shape == [3, method.generator.linear.weight.value.size(1)])
        #expect(message { try made(BigBiGAN.self, imageSize: 24) }?.contains("data.imageSize must be a power of 2") == true)
    }

    // MARK: All of them

    /// A few steps on the same images bring the loss down.
    @Test(arguments: ["colorization", "split_brain", "autoencoder", "vae", "context_encoder", "exemplar"]) func learns(_ name: String)
        throws
    {
        let entry = try MethodRegistry.standard.entry(named: name)
        Runtime.seed(6)
        let method = try entry.make(tinySettings(of: entry), tinyContext())
        let batch = noise(2, 16)
        let optimizer = Adam(method.parameterGroups(weightDecay: 0))
        var losses: [Double] = []
        for index in 0..<30 {
            method.clearGradients()
            let loss = method.loss(batch, Step(epoch: 1, index: index, total: 1000))
            losses.append(loss.total.item)
            loss.total.backward()
            optimizer.step(learningRate: 3e-3)
        }
        #expect(losses[27...].reduce(0, +) < 0.9 * losses[..<3].reduce(0, +), "\(losses)")
    }

    /// Every row has the images' number and size, and what a person can look at.
    @Test(arguments: ["colorization", "split_brain", "autoencoder", "vae", "context_encoder", "bigbigan", "mae"]) func pictures(
        _ name: String
    )
        throws
    {
        let entry = try MethodRegistry.standard.entry(named: name)
        Runtime.seed(8)
        let method = try entry.make(tinySettings(of: entry), entry.card.needsPatches ? patchContext() : tinyContext())
        let pixels = noise(1, 5).views[0]
        let rows = method.evaluating { inference { method.pictures(of: pixels) } }
        #expect(rows.count >= 2 && Set(rows.map(\.title)).count == rows.count)
        for row in rows {
            #expect(row.images.shape == [5, 3, 16, 16] && row.images.to(.float32).isFinite().all().item == 1, "\(row.title)")
        }
        #expect(rows.contains { $0.images === pixels })
    }

    /// What is hidden is the mean colour, and what is not is left as it is.
    @Test(arguments: ["context_encoder", "mae"]) func whatIsSeenStays(_ name: String) throws {
        let entry = try MethodRegistry.standard.entry(named: name)
        Runtime.seed(9)
        let method = try entry.make(tinySettings(of: entry), entry.card.needsPatches ? patchContext() : tinyContext())
        let pixels = noise(1, 5).views[0].to(.float32)
        let rows = method.evaluating { inference { method.pictures(of: pixels) } }
        let mean = method.encoder.input.pixels(Tensor.zeros([1, 3, 1, 1]))
        let isHidden = (rows[0].images - mean).abs().max(1, keep: true).less(1e-3).expanded(pixels.shape)
        // A central square of 6 of 16 pixels; 12 of 16 patches.
        #expect((isHidden.to(.float64).mean().item - (name == "mae" ? 0.75 : 36.0 / 256)).magnitude < 1e-9)
        let kept = rows[1].images.where(isHidden.not, otherwise: pixels)
        expectClose(kept, pixels, Tolerance(relative: 0, absolute: 1e-3))
        #expect((rows[1].images - pixels).where(isHidden, otherwise: pixels * 0).abs().mean().item > 1)
    }

    @Test func patchesBecomeTheImage() {
        let x = Tensor.randn([2, 3, 8, 12])
        expectSame(PatchEncoder.image(PatchEncoder.values(x, patchSize: 4), PatchGrid(rows: 2, columns: 3), patchSize: 4), x)
    }
}
