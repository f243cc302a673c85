/// What of the published counts few images can bear.
enum FewImages {
    /// Clusters, prototypes, words: at least ten images each.
    static func groups(_ published: Int, _ images: Int) -> Int { min(published, max(2, images / 10)) }

    /// Past images that are remembered: half of all, so that an image meets itself of late in one of two batches at most.
    static func queue(_ published: Int, _ images: Int) -> Int { min(published, max(2, images / 2)) }
}
