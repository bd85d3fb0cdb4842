import Payments

/// What LND does with an answer of the interceptor's client, in its order of checks.
extension SimulatedNode {
    /// An answer came over the client's stream. If it is wrong the stream ends, and what it was about stays held.
    mutating func answered<Digest: SHA256Digest>(
        _ answer: InterceptorAnswer, session: Int, by digest: Digest.Type
    ) -> [NodeOrder] {
        guard slot == .client(session: session) else { return [] }
        do {
            let resolution = try check(answer, by: digest)
            return accept(resolution)
        } catch {
            return punish(error, session: session)
        }
    }

    /// The client closed its sending side: LND reads the end of the stream and gives up.
    mutating func halfClosed(session: Int) -> [NodeOrder] {
        guard slot == .client(session: session) else { return [] }
        return punish(.halfClosed, session: session)
    }

    /// The client sent something that is no protobuf message.
    mutating func garbled(session: Int) -> [NodeOrder] {
        guard slot == .client(session: session) else { return [] }
        return punish(.unreadable, session: session)
    }

    private mutating func punish(_ refusal: NodeRefusal, session: Int) -> [NodeOrder] {
        violations[refusal.text, default: 0] += 1
        return [.endSession(session, refusal)] + disconnected(session: session)
    }

    private func check<Digest: SHA256Digest>(
        _ answer: InterceptorAnswer, by digest: Digest.Type
    ) throws(NodeRefusal) -> (Transit, Transit.Resolution) {
        guard let circuit = answer.circuit else { throw .keyMissing }
        switch answer.action {
        case 0:
            guard !answer.preimage.isEmpty else { throw .preimageMissing }
            guard let preimage = Bytes32(answer.preimage) else { throw .preimageLength(answer.preimage.count) }
            let transit = try heldTransit(circuit)
            guard preimage.withSpan({ Digest.sha256($0) }) == transit.htlc.paymentHash.bytes else {
                throw .preimageMismatch
            }
            return (transit, .settle(Preimage(preimage)))
        case 1:
            let resolution = try failure(in: answer)
            let transit = try heldTransit(circuit)
            guard transit.phase != .heldOnChain else { throw .failOnChain }
            return (transit, resolution)
        case 2, 3:
            if answer.action == 3, let type = answer.recordTypes.min(), type < 65_536 { throw .recordType(type) }
            let transit = try heldTransit(circuit)
            guard transit.phase != .heldOnChain else { throw .resumeOnChain }
            return (transit, resumption(of: circuit))
        default:
            throw .action(answer.action)
        }
    }

    private func failure(in answer: InterceptorAnswer) throws(NodeRefusal) -> Transit.Resolution {
        guard answer.failureMessage.isEmpty else {
            guard answer.failureCode == 0 else { throw .failuresExclude }
            guard answer.failureMessage.count == 292 else { throw .failureLength }
            return .failBehind(packet: answer.failureMessage)
        }
        guard let code = FailureCode.answerable(answer.failureCode) else { throw .failureCode(answer.failureCodeName) }
        return .fail(code: code)
    }

    private func heldTransit(_ circuit: Circuit) throws(NodeRefusal) -> Transit {
        guard let transit = transits[circuit], transit.isOffered else { throw .notHeld(circuit) }
        return transit
    }

    private mutating func accept(_ resolved: (transit: Transit, resolution: Transit.Resolution)) -> [NodeOrder] {
        let (transit, resolution) = resolved
        let circuit = transit.htlc.circuit
        noteAnswer(to: circuit, resolution)
        guard transit.phase == .heldOnChain, case .settle(let preimage) = resolution else {
            if case .forward = resolution { counts.forwarded += 1 }
            return resolve(circuit, resolution)
        }
        // The preimage goes into the success transaction; no link has a part in it.
        transits[circuit]?.phase = .leaving(FinalResolution(isSettled: true, isOffChain: false))
        return [.report(transit.htlc.part, .settled(preimage)), .finalise(circuit)]
    }

    /// LND cannot tell, but the payer's money can: an HTLC that was settled once must be settled on every replay.
    private mutating func noteAnswer(to circuit: Circuit, _ resolution: Transit.Resolution) {
        let settles = if case .settle = resolution { true } else { false }
        if let first = transits[circuit]?.firstAnswer, first != settles {
            violations[first ? "settled, later failed: \(circuit)" : "failed, later settled: \(circuit)", default: 0] += 1
        }
        if transits[circuit]?.firstAnswer == nil { transits[circuit]?.firstAnswer = settles }
    }
}
