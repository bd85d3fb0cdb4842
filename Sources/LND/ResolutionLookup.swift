internal import GRPC
internal import Loop
internal import Payments

/// Asks for final resolutions, a bounded number at a time and none twice at once.
@LoopActor
final class ResolutionLookup {
    static let mostInFlight = 32

    private let client: GRPCClient
    private let metadata: Metadata
    private let deadlineMilliseconds: Int
    private let found: @LoopActor (InterceptorSession.Circuit, Resolution) -> Void
    private var waiting: [InterceptorSession.Circuit] = []
    private var known: Set<InterceptorSession.Circuit> = []
    private var inFlight = 0

    init(
        client: GRPCClient, metadata: Metadata, deadlineMilliseconds: Int,
        found: @escaping @LoopActor (InterceptorSession.Circuit, Resolution) -> Void
    ) {
        self.client = client
        self.metadata = metadata
        self.deadlineMilliseconds = deadlineMilliseconds
        self.found = found
    }

    func enqueue(_ circuits: some Sequence<InterceptorSession.Circuit>) {
        for circuit in circuits where known.insert(circuit).inserted { waiting.append(circuit) }
        send()
    }

    private func send() {
        while inFlight < Self.mostInFlight, let circuit = waiting.popLast() {
            guard let request = circuit.lookupRequest else { continue }
            inFlight += 1
            client.unary(
                LNDMethod.lookupHTLCResolution.rawValue, metadata: metadata, deadlineMilliseconds: deadlineMilliseconds, request: request
            ) { [weak self] result in self?.ended(circuit, result) }
        }
    }

    /// An error says nothing about the HTLC: NOT_FOUND is one that is not final, and of others the next sweep asks again.
    private func ended(_ circuit: InterceptorSession.Circuit, _ result: Result<[UInt8], GRPCStatus>) {
        inFlight -= 1
        known.remove(circuit)
        if case .success(let bytes) = result, let resolution = Resolution(lookup: bytes) { found(circuit, resolution) }
        send()
    }
}
