import Loop
import Payments
import Wire

/// What the control address says of payments, nodes and measurements.
@LoopActor
enum ControlReplies {
    static func payment(_ payment: Payment) -> JSONValue {
        var members: [(String, JSONValue)] = [
            ("id", .unsigned(UInt64(payment.id))), ("payment_hash", .string(payment.paymentHash.bytes.hex)),
            ("status", .string(payment.status.rawValue)),
        ]
        if let preimage = payment.preimage { members.append(("preimage", .string(preimage.bytes.hex))) }
        if let endedAt = payment.endedAt {
            members.append(("milliseconds", .double(Double(endedAt - payment.startedAt) / 1e6)))
        }
        members.append(("parts", .array(payment.parts.map(part))))
        return .object(members)
    }

    private static func part(_ part: Payment.Part) -> JSONValue {
        var members: [(String, JSONValue)] = [
            ("node", .unsigned(UInt64(part.node))), ("chan_id", .string(String(part.htlc.circuit.chanID))),
            ("htlc_id", .string(String(part.htlc.circuit.htlcID))), ("state", .string(part.state.name)),
            ("incoming_amount_msat", .unsigned(part.htlc.incomingAmount.value)),
            ("incoming_expiry", .unsigned(UInt64(part.htlc.incomingExpiry))),
            ("outgoing_amount_msat", .unsigned(part.htlc.outgoingAmount.value)),
            ("outgoing_expiry", .unsigned(UInt64(part.htlc.outgoingExpiry))),
        ]
        if case .failed(let failure) = part.state {
            var said: [(String, JSONValue)] = [
                ("code", .unsigned(UInt64(failure.code))), ("name", .string(failure.name)),
                ("origin", .string(failure.origin.rawValue)),
            ]
            said += failure.data.map { ($0.name, .unsigned($0.value)) }
            members.append(("failure", .object(said)))
        }
        return .object(members)
    }

    static func state(_ network: SimulatedNetwork) -> JSONValue {
        let counts = network.payer.counts
        return .object([
            ("height", .unsigned(UInt64(network.height))),
            (
                "payments",
                .object([
                    ("succeeded", .unsigned(UInt64(counts.succeeded))), ("failed", .unsigned(UInt64(counts.failed))),
                    ("torn", .unsigned(UInt64(counts.torn))),
                    ("prepared", .unsigned(UInt64(network.magazine.ready.count))),
                ])
            ),
            ("nodes", .array(network.nodes.enumerated().map { node($0, $1) })),
        ])
    }

    static func node(_ index: Int, _ node: NodeServer) -> JSONValue {
        let machine = node.machine
        let held = machine.transits.values.filter(\.isOffered).sorted { $0.htlc.circuit < $1.htlc.circuit }
        let slot =
            switch machine.slot {
            case .free: "free"
            case .client: "connected"
            case .ghost: "ghost"
            }
        return .object([
            ("node", .unsigned(UInt64(index))), ("pubkey", .string(node.publicKey.hex)), ("address", .string(node.address)),
            ("running", .bool(node.isRunning)), ("height", .unsigned(UInt64(machine.height))),
            ("interceptor", .string(slot)), ("settings", settings(machine.settings)),
            ("held", .array(held.prefix(200).map(transit))), ("held_count", .unsigned(UInt64(held.count))),
            ("in_transit_count", .unsigned(UInt64(machine.transits.count))),
            ("offered", .unsigned(UInt64(machine.counts.offered))), ("settled", .unsigned(UInt64(machine.counts.settled))),
            ("failed", .unsigned(UInt64(machine.counts.failed))),
            ("forwarded", .unsigned(UInt64(machine.counts.forwarded))),
            ("auto_failed", .unsigned(UInt64(machine.counts.autoFailed))),
            ("lost", .unsigned(UInt64(machine.counts.lost))),
            (
                "violations",
                .array(machine.violations.sorted { $0.key < $1.key }.map {
                    .object([("text", .string($0.key)), ("count", .unsigned(UInt64($0.value)))])
                })
            ),
        ])
    }

    private static func settings(_ settings: NodeSettings) -> JSONValue {
        .object([
            ("require_htlc_interceptor", .bool(settings.requiresInterceptor)),
            ("store_final_htlc_resolutions", .bool(settings.storesFinalResolutions)),
            ("wallet_state", .unsigned(UInt64(settings.walletState))), ("version", .string(settings.version)),
            ("network", .string(settings.network)), ("synced_to_chain", .bool(settings.isSyncedToChain)),
            ("build_tags", .array(settings.buildTags.map { .string($0) })),
        ])
    }

    private static func transit(_ transit: Transit) -> JSONValue {
        .object([
            ("chan_id", .string(String(transit.htlc.circuit.chanID))),
            ("htlc_id", .string(String(transit.htlc.circuit.htlcID))),
            ("payment_hash", .string(transit.htlc.paymentHash.bytes.hex)),
            ("incoming_amount_msat", .unsigned(transit.htlc.incomingAmount.value)),
            ("incoming_expiry", .unsigned(UInt64(transit.htlc.incomingExpiry))),
            ("auto_fail_height", .unsigned(UInt64(max(transit.autoFailHeight, 0)))),
            ("on_chain", .bool(transit.phase == .heldOnChain)),
        ])
    }

    static func volley(_ report: Volley.Report) -> JSONValue {
        .object([
            ("count", .unsigned(UInt64(report.count))), ("succeeded", .unsigned(UInt64(report.succeeded))),
            ("failed", .unsigned(UInt64(report.failed))), ("pending", .unsigned(UInt64(report.pending))),
            ("seconds", .double(report.seconds)),
            ("per_second", .double(report.seconds > 0 ? Double(report.count) / report.seconds : 0)),
            (
                "latency_ms",
                .object([
                    ("p50", .double(report.latency(atQuantile: 0.5))), ("p90", .double(report.latency(atQuantile: 0.9))),
                    ("p99", .double(report.latency(atQuantile: 0.99))), ("max", .double(report.latency(atQuantile: 1))),
                ])
            ),
            (
                "failures",
                .object(report.failures.sorted { $0.key < $1.key }.map { ($0.key, .unsigned(UInt64($0.value))) })
            ),
        ])
    }

    static func problem(_ problem: ControlProblem) -> JSONValue {
        .object([("error", .string(problem.code)), ("detail", .string(problem.detail))])
    }
}
