internal import Loop
internal import Wire

/// How many long lists may be read or wait for their clients at once: each may take megabytes, and a client need not read.
@LoopActor
final class ListPlaces {
    /// Frees itself with the list that holds it.
    @LoopActor
    final class Place {
        private let places: ListPlaces
        private let owner: OpenStreams.Owner

        fileprivate init(_ places: ListPlaces, _ owner: OpenStreams.Owner) {
            self.places = places
            self.owner = owner
        }

        isolated deinit { places.leave(owner) }
    }

    private let limits: StreamLimits
    private var owned: [OpenStreams.Owner: Int] = [:]
    private var count = 0

    init(limits: StreamLimits) { self.limits = limits }

    /// `nil` if this owner, or all together, have as many as they may.
    func take(_ owner: OpenStreams.Owner) -> Place? {
        guard count < limits.total, owned[owner, default: 0] < limits.perKey else { return nil }
        count += 1
        owned[owner, default: 0] += 1
        return Place(self, owner)
    }

    private func leave(_ owner: OpenStreams.Owner) {
        count -= 1
        owned[owner, default: 0] -= 1
        if owned[owner] == 0 { owned[owner] = nil }
    }
}
