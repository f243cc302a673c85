internal import Backbones
internal import Methods
internal import Views

extension CodingUserInfoKey {
    /// The `MethodRegistry` that names are looked up in while a recipe is decoded.
    static let methods = CodingUserInfoKey(rawValue: "fovea.methods")!
}

extension Recipe: Codable {
    enum CodingKeys: String, CodingKey, CaseIterable {
        case provenance, method, backbone, data, views, training, monitoring
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        method = try container.decode(MethodChoice.self, forKey: .method)
        provenance = try container.decode(String.self, forKey: .provenance)
        backbone = try container.decode(BackboneSettings.self, forKey: .backbone)
        data = try container.decode(DataSettings.self, forKey: .data)
        if let list = try container.decodeIfPresent([View].self, forKey: .views) {
            do {
                views = try ViewRecipe(views: list)
            } catch {
                throw DecodingError.dataCorruptedError(forKey: .views, in: container, debugDescription: "\(error)")
            }
        }
        training = try container.decode(TrainingSettings.self, forKey: .training)
        monitoring = try container.decode(MonitoringSettings.self, forKey: .monitoring)
    }

    public func encode(to encoder: any Swift.Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(provenance, forKey: .provenance)
        try container.encode(method, forKey: .method)
        try container.encode(backbone, forKey: .backbone)
        try container.encode(data, forKey: .data)
        try container.encodeIfPresent(views?.views, forKey: .views)
        try container.encode(training, forKey: .training)
        try container.encode(monitoring, forKey: .monitoring)
    }
}

/// `method: {name: simclr, temperature: 0.5, …}`: the name and the settings side by side.
extension MethodChoice: Codable {
    private enum CodingKeys: String, CodingKey {
        case name
    }

    public init(from decoder: any Decoder) throws {
        let registry = decoder.userInfo[.methods] as? MethodRegistry ?? .standard
        name = try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .name)
        settings = try registry.entry(named: name).settings.init(from: decoder)
    }

    public func encode(to encoder: any Swift.Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try settings.encode(to: encoder)
    }
}
