import Loop
import Payments
import Wire

/// Turns control requests into facts about the network. Bad input is a 400 with `{error, detail}`, never a trap.
///
/// The interface is written down in ``ControlGuide``, which `GET /` answers with.
@LoopActor
final class ControlRoutes {
    private typealias Reply = @LoopActor (Result<JSONValue, ControlProblem>) -> Void

    let network: SimulatedNetwork
    private let wheel = TimerWheel(tickMilliseconds: 10)
    private var volley: Volley?

    init(_ network: SimulatedNetwork) { self.network = network }

    func handle(_ request: HTTPRequest, _ answer: @escaping ControlServer.Answer) {
        let reply: Reply = { result in
            switch result {
            case .success(let value): answer(200, Self.bytes(value))
            case .failure(let problem): answer(problem.status, Self.bytes(ControlReplies.problem(problem)))
            }
        }
        do throws(ControlProblem) {
            try route(request, reply)
        } catch {
            reply(.failure(error))
        }
    }

    private static func bytes(_ value: JSONValue) -> [UInt8] { JSONWriter.bytes(value) + [10] }

    private func route(_ request: HTTPRequest, _ reply: @escaping Reply) throws(ControlProblem) {
        switch (request.method, request.path) {
        case ("GET", "/"): reply(.success(guide()))
        case ("GET", "/state"): reply(.success(ControlReplies.state(network)))
        case ("GET", let path) where path.hasPrefix("/payments/"): reply(.success(try payment(path)))
        case ("POST", "/pay"): try pay(request.body, reply)
        case ("POST", "/foreign"): try foreign(request.body, reply)
        case ("POST", "/prepare"): try prepare(request.body, reply)
        case ("POST", "/fire"): try fire(request.body, reply)
        case ("POST", "/blocks"): reply(.success(try blocks(request.body)))
        case ("POST", "/delay"): reply(.success(try delay(request.body)))
        case ("POST", "/node"): reply(.success(try configure(request.body)))
        case ("POST", let path):
            if let answer = try wallet(path, request.body) { return reply(.success(answer)) }
            reply(.success(try fault(path, request.body)))
        default: throw .notFound("GET / tells what there is")
        }
    }

    private func guide() -> JSONValue {
        .object([
            ("name", .string("lnsim")),
            (
                "requests",
                .array(ControlGuide.entries.map {
                    .object([("request", .string($0.request)), ("body", .string($0.body)), ("does", .string($0.does))])
                })
            ),
        ])
    }

    // MARK: Payments

    private func payment(_ path: String) throws(ControlProblem) -> JSONValue {
        guard let id = Int(path.dropFirst("/payments/".count)), let payment = network.payer.payments[id] else {
            throw .notFound("no such payment")
        }
        return ControlReplies.payment(payment)
    }

    private func pay(_ body: [UInt8], _ reply: @escaping Reply) throws(ControlProblem) {
        let request = try PayRequest(body)
        let once = Once(reply)
        do throws(PayFailure) {
            let id = try network.payer.pay(
                request.invoice, request.parts, total: request.total, height: network.height
            ) { payment in
                once.send(.success(ControlReplies.payment(payment)))
            }
            answer(id, request.waits ? request.timeoutMilliseconds : 0, once)
        } catch {
            throw .invalid("\(error)")
        }
    }

    private func foreign(_ body: [UInt8], _ reply: @escaping Reply) throws(ControlProblem) {
        let fields = try ControlFields(body, allowed: ["node", "amount_msat", "wait", "timeout_ms"])
        let (node, _) = try self.node(fields)
        let amount = Millisatoshis(try fields.integer("amount_msat", max: Millisatoshis.supply.value) ?? 10_000)
        let waits = try fields.flag("wait") ?? true
        let timeout = try fields.integer("timeout_ms", max: 3_600_000) ?? 30_000
        let once = Once(reply)
        let id = network.sendForeign(through: node, amount: amount) { once.send(.success(ControlReplies.payment($0))) }
        answer(id, waits ? timeout : 0, once)
    }

    /// Answers with the payment as it is when the time is over, should it still be pending.
    private func answer(_ id: Int, _ milliseconds: UInt64, _ once: Once) {
        guard !once.isDone else { return }
        let tell: @LoopActor () -> Void = { [network] in
            guard let payment = network.payer.payments[id] else { return }
            once.send(.success(ControlReplies.payment(payment)))
        }
        if milliseconds == 0 { tell() } else { wheel.schedule(afterMilliseconds: milliseconds, tell) }
    }

    // MARK: Measuring

    private func prepare(_ body: [UInt8], _ reply: @escaping Reply) throws(ControlProblem) {
        let fields = try ControlFields(body, allowed: ["payment_requests", "split"])
        let requests = try fields.require(fields.texts("payment_requests"), "payment_requests")
        var split: [Int]?
        if let items = try fields.list("split") {
            guard !items.isEmpty, items.count <= 64 else { throw .invalid("split must name one to 64 nodes") }
            split = items.map { $0.whole.flatMap { Int(exactly: $0) } ?? -1 }
        }
        Task { @LoopActor [network] in
            do throws(PayFailure) {
                let count = try await network.magazine.load(
                    requests, split: split, nodes: network.nodes.count, height: network.height)
                reply(.success(.object([("prepared", .unsigned(UInt64(count)))])))
            } catch {
                reply(.failure(.invalid("\(error)")))
            }
        }
    }

    private func fire(_ body: [UInt8], _ reply: @escaping Reply) throws(ControlProblem) {
        let fields = try ControlFields(body, allowed: ["count", "rate", "in_flight", "timeout_ms"])
        guard volley == nil else { throw .impossible("another volley is under way") }
        let count = try fields.integer("count", max: 10_000_000).map { Int($0) } ?? network.magazine.ready.count
        let plan = Volley.Plan(
            rate: try fields.number("rate") ?? 0, inFlight: Int(try fields.integer("in_flight", max: 100_000) ?? 256),
            count: count, timeoutMilliseconds: try fields.integer("timeout_ms", max: 3_600_000) ?? 120_000)
        guard plan.inFlight > 0, plan.rate <= 1_000_000 else { throw .invalid("in_flight and rate must make sense") }
        guard let payments = network.magazine.take(count) else {
            throw .impossible("only \(network.magazine.ready.count) payments are prepared")
        }
        let volley = Volley(plan, payments, payer: network.payer) { [weak self] report in
            self?.volley = nil
            reply(.success(ControlReplies.volley(report)))
        }
        self.volley = volley
        volley.start()
    }

    // MARK: The world

    private func blocks(_ body: [UInt8]) throws(ControlProblem) -> JSONValue {
        let fields = try ControlFields(body, allowed: ["count", "height"])
        if let height = try fields.integer32("height") {
            guard height > 0, height <= network.height + 10_000 else {
                throw .invalid("height must be within 10000 blocks of the tip")
            }
            network.move(to: height)
        } else {
            network.mine(UInt32(try fields.integer("count", max: 10_000) ?? 1))
        }
        return .object([("height", .unsigned(UInt64(network.height)))])
    }

    private func delay(_ body: [UInt8]) throws(ControlProblem) -> JSONValue {
        let fields = try ControlFields(body, allowed: ["node", "answer_ms", "final_ms"])
        let answer = try fields.integer("answer_ms", max: 3_600_000)
        let final = try fields.integer("final_ms", max: 3_600_000)
        for (_, node) in try nodes(fields) {
            if let answer { node.delays.answerMilliseconds = answer }
            if let final { node.delays.finalMilliseconds = final }
        }
        return Self.done
    }

    private func configure(_ body: [UInt8]) throws(ControlProblem) -> JSONValue {
        let change = try NodeChange(body)
        let chosen = try nodes(change.fields)
        for (_, node) in chosen { change.apply(to: node) }
        return .object([("nodes", .array(chosen.map { ControlReplies.node($0.index, $0.node) }))])
    }

    private func fault(_ path: String, _ body: [UInt8]) throws(ControlProblem) -> JSONValue {
        switch path {
        case "/onchain": try happen(body) { $0.wentOnChain($1) }
        case "/autofail": try happen(body) { $0.autoFailed($1) }
        case "/fault/replay": try happen(body) { $0.replayed($1) }
        case "/peer":
            let fields = try ControlFields(body, allowed: ["node", "away"])
            let (index, node) = try self.node(fields)
            let isAway = try fields.flag("away") ?? true
            _ = node.suffer { $0.peerChanged(chanID: SimulatedNetwork.incomingChannel(of: index), isAway: isAway) }
        case "/fault/drop_stream":
            let fields = try ControlFields(body, allowed: ["node", "connection"])
            let isWhole = try fields.flag("connection") ?? false
            for (_, node) in try nodes(fields) { node.dropStream(wholeConnection: isWhole) }
        case "/fault/ghost":
            let fields = try ControlFields(body, allowed: ["node", "ms"])
            let span = try fields.integer("ms", max: 3_600_000) ?? 80_000
            try self.node(fields).node.ghost(forMilliseconds: span)
        case "/fault/stop_node": try self.node(ControlFields(body, allowed: ["node"])).node.stop()
        case "/fault/start_node": try start(self.node(ControlFields(body, allowed: ["node"])).node)
        case "/fault/restart_node": try restart(body)
        default: throw .notFound("GET / tells what there is")
        }
        return Self.done
    }

    /// Lets a fault happen to the HTLC that is named, or to every one that it can happen to.
    private func happen(
        _ body: [UInt8], _ fault: (inout SimulatedNode, Circuit) -> [NodeOrder]?
    ) throws(ControlProblem) {
        let fields = try ControlFields(body, allowed: ["node", "chan_id", "htlc_id"])
        let (_, node) = try self.node(fields)
        let circuits: [Circuit]
        if let htlcID = try fields.integer("htlc_id") {
            circuits = [Circuit(chanID: try fields.require(fields.integer("chan_id"), "chan_id"), htlcID: htlcID)]
        } else {
            circuits = node.machine.transits.keys.sorted()
        }
        let count = circuits.filter { circuit in node.suffer { fault(&$0, circuit) } }.count
        guard count > 0 else { throw .impossible("there is no HTLC where this can happen to it") }
    }

    private func restart(_ body: [UInt8]) throws(ControlProblem) {
        let fields = try ControlFields(body, allowed: ["node", "down_ms"])
        let (_, node) = try self.node(fields)
        node.stop()
        let down = try fields.integer("down_ms", max: 3_600_000) ?? 0
        guard down > 0 else { return try start(node) }
        wheel.schedule(afterMilliseconds: down) { try? node.start() }
    }

    private func start(_ node: NodeServer) throws(ControlProblem) {
        do {
            try node.start()
        } catch {
            throw .impossible("the node cannot listen: \(error)")
        }
    }

    // MARK: Nodes

    private static let done = JSONValue.object([("ok", .bool(true))])

    private func node(_ fields: ControlFields) throws(ControlProblem) -> (index: Int, node: NodeServer) {
        let index = Int(try fields.require(fields.integer("node", max: 1_000_000), "node"))
        guard network.nodes.indices.contains(index) else { throw .invalid("there is no node \(index)") }
        return (index, network.nodes[index])
    }

    /// The one that is named, or all.
    func nodes(_ fields: ControlFields) throws(ControlProblem) -> [(index: Int, node: NodeServer)] {
        guard try fields.integer("node") == nil else { return [try node(fields)] }
        return network.nodes.enumerated().map { ($0, $1) }
    }

    /// A reply that is sent by whoever comes first.
    @LoopActor
    private final class Once {
        private var reply: Reply?
        init(_ reply: @escaping Reply) { self.reply = reply }

        var isDone: Bool { reply == nil }

        func send(_ result: Result<JSONValue, ControlProblem>) {
            let reply = reply
            self.reply = nil
            reply?(result)
        }
    }
}
