/// `summary.json`: what was trained, and on what. Every field is optional, for folders of older or broken-off runs.
public struct RunSummary: Codable, Sendable, Equatable {
    public var fovea: String?
    public var method: String?
    public var paper: String?
    public var backbone: String?
    public var parameters: Int?
    public var dataset: Dataset?
    public var epochs: Int?
    public var batchSize: Int?
    /// Pixels along one side of what the encoder sees.
    public var imageSize: Int?
    public var device: String?
    public var threads: Int?
    public var libtorch: String?
    public var seed: Int?

    public struct Dataset: Codable, Sendable, Equatable {
        public var name: String?
        public var images: Int?
        public var unreadable: Int?
        public var classes: Int?

        public init(name: String? = nil, images: Int? = nil, unreadable: Int? = nil, classes: Int? = nil) {
            self.name = name
            self.images = images
            self.unreadable = unreadable
            self.classes = classes
        }
    }

    public init(
        fovea: String? = nil, method: String? = nil, paper: String? = nil, backbone: String? = nil, parameters: Int? = nil,
        dataset: Dataset? = nil, epochs: Int? = nil, batchSize: Int? = nil, imageSize: Int? = nil,
        device: String? = nil, threads: Int? = nil, libtorch: String? = nil, seed: Int? = nil
    ) {
        self.fovea = fovea
        self.method = method
        self.paper = paper
        self.backbone = backbone
        self.parameters = parameters
        self.dataset = dataset
        self.epochs = epochs
        self.batchSize = batchSize
        self.imageSize = imageSize
        self.device = device
        self.threads = threads
        self.libtorch = libtorch
        self.seed = seed
    }
}
