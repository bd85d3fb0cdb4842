internal import Edge
internal import LND
internal import Ledger
internal import Lightning
internal import Loop
internal import Payments
internal import Wire

// The nodes' own money: channels, balances, peers and invoices, as the nodes tell them now.
extension GatewayAPI {
    func showBalance(_ exchange: Exchange, _ caller: Caller) {
        ledger.balance(account: caller.account) { [self] result in
            guard case .success(let own) = result else { return exchange.refuse(.unavailable) }
            // What the nodes have is the operator's; an account has what it has received.
            let nodes = caller.isOperator ? gateway.nodes : []
            gather(nodes, { $0.balances($1) }) { [self] balances in
                var json = JSONWriter()
                json.object { json in
                    json.array("nodes") { json in
                        for (node, balance) in balances {
                            json.object { json in
                                append(node, to: &json)
                                if let balance { append(balance, to: &json) }
                                json.field("reachable", balance != nil)
                            }
                        }
                    }
                    json.object("total") { json in append(balances.reduce(NodeBalances()) { $0 + ($1.1 ?? NodeBalances()) }, to: &json) }
                    json.object("account") { json in
                        json.field("received_msat", own.received.value)
                        json.field("spent_msat", own.spent.value)
                        json.field("reserved_msat", own.reserved.value)
                        json.field("available_msat", own.available)
                        json.field("bounded", !caller.isOperator)
                    }
                }
                exchange.respond(json.bytes)
            }
        }
    }

    func showChannels(_ exchange: Exchange) {
        guard gateway.isLeader else { return exchange.refuse(.nodeUnavailable) }
        gather(gateway.nodes, { $0.channels($1) }) { [self] found in
            let channels = found.flatMap { node, channels in (channels ?? []).map { (node, $0) } }
            policies(of: channels) { [self] policies in
                var json = JSONWriter()
                json.object { json in
                    json.array("channels") { json in
                        for (index, (node, channel)) in channels.enumerated() { append(node, channel, policies[index], to: &json) }
                    }
                }
                exchange.respond(json.bytes)
            }
        }
    }

    func showPeers(_ exchange: Exchange) {
        guard gateway.isLeader else { return exchange.refuse(.nodeUnavailable) }
        gather(gateway.nodes, { $0.peers($1) }) { [self] found in
            var json = JSONWriter()
            json.object { json in
                json.array("peers") { json in
                    for (node, peers) in found {
                        for peer in peers ?? [] {
                            json.object { json in
                                append(node, to: &json)
                                json.field("pubkey", peer.pubkey.hex)
                                json.field("address", peer.address)
                                json.field("inbound", peer.isInbound)
                            }
                        }
                    }
                }
            }
            exchange.respond(json.bytes)
        }
    }

    func connectPeer(_ exchange: Exchange) {
        let wanted: PeerRequest
        do throws(FieldError) { wanted = try PeerRequest(decoding: exchange.request.body) } catch { return exchange.refuse(.invalid(error)) }
        guard let node = gateway.lightningNode(wanted.node) else { return exchange.refuse(.invalid(.invalid(field: "node", "is no node of this gateway"))) }
        exchange.target = node.pubkey.hex
        node.connect(to: wanted.pubkey, at: wanted.address) { [self] result in
            if case .failure(let error) = result { return exchange.refuse(error.problem) }
            var json = JSONWriter()
            json.object { json in
                append(node, to: &json)
                json.field("pubkey", wanted.pubkey.hex)
                json.field("address", wanted.address)
            }
            exchange.respond(json.bytes, status: 201)
        }
    }

    // MARK: Invoices of a node itself

    func listNodeInvoices(_ exchange: Exchange) {
        guard let limit = exchange.number("limit", default: 50, in: 1...500) else { return exchange.refuse(.invalidQuery("limit")) }
        guard let after = exchange.number("after", default: 0, in: 0...(.max)) else { return exchange.refuse(.invalidQuery("after")) }
        guard let node = gateway.lightningNode(exchange.request.query["node"]) else { return exchange.refuse(.invalidQuery("node")) }
        node.invoices(after: UInt64(after), limit: Int(limit)) { [self] result in
            guard case .success(let invoices) = result else { return exchange.refuse(result.failure.problem) }
            var json = JSONWriter()
            json.object { json in
                json.array("node_invoices") { json in for invoice in invoices { append(node, invoice, to: &json) } }
                json.field("next", invoices.count == Int(limit) ? invoices.last.map { Int64(clamping: $0.number) } : nil)
            }
            exchange.respond(json.bytes)
        }
    }

    func createNodeInvoice(_ exchange: Exchange) {
        let wanted: NodeInvoiceRequest
        do throws(FieldError) { wanted = try NodeInvoiceRequest(decoding: exchange.request.body) } catch { return exchange.refuse(.invalid(error)) }
        guard let node = gateway.lightningNode(wanted.node) else { return exchange.refuse(.invalid(.invalid(field: "node", "is no node of this gateway"))) }
        let wish = NodeInvoiceWish(memo: wanted.memo, amount: wanted.amount, expirySeconds: wanted.expirySeconds, holding: wanted.holding)
        node.createInvoice(wish) { [self] result in
            guard case .success(let invoice) = result else { return exchange.refuse(result.failure.problem) }
            exchange.target = invoice.paymentHash.description
            var json = JSONWriter()
            append(node, invoice, to: &json)
            exchange.respond(json.bytes, status: 201)
        }
    }

    // MARK: What they share

    /// Asks all at once; `nil` from those that do not answer.
    private func gather<Value>(
        _ nodes: [LNDNode], _ ask: @LoopActor (any LightningNode, @escaping NodeReply<Value>) -> Void,
        _ done: @escaping @LoopActor ([(any LightningNode, Value?)]) -> Void
    ) {
        var answers = [Value?](repeating: nil, count: nodes.count)
        var missing = nodes.count
        guard missing > 0 else { return done([]) }
        for (index, node) in nodes.enumerated() {
            ask(node) { result in
                if case .success(let value) = result { answers[index] = value }
                missing -= 1
                if missing == 0 { done(Array(zip(nodes, answers))) }
            }
        }
    }

    /// How both sides of each channel forward, as far as the node knows.
    private func policies(of channels: [(any LightningNode, NodeChannel)], _ done: @escaping @LoopActor ([ChannelPolicies]) -> Void) {
        var answers = [ChannelPolicies](repeating: ChannelPolicies(), count: channels.count)
        var missing = channels.count
        guard missing > 0 else { return done([]) }
        for (index, (node, channel)) in channels.enumerated() {
            node.policies(of: channel.chanID) { result in
                if case .success(let policies) = result { answers[index] = policies }
                missing -= 1
                if missing == 0 { done(answers) }
            }
        }
    }

    private func append(_ node: any LightningNode, to json: inout JSONWriter) {
        json.field("node", node.pubkey.hex)
        json.field("node_name", node.name)
    }

    private func append(_ balance: NodeBalances, to json: inout JSONWriter) {
        json.field("onchain_confirmed_sat", balance.onchainConfirmed.value / 1000)
        json.field("onchain_unconfirmed_sat", balance.onchainUnconfirmed.value / 1000)
        json.field("channel_local_msat", balance.channelLocal.value)
        json.field("channel_remote_msat", balance.channelRemote.value)
        json.field("unsettled_local_msat", balance.unsettledLocal.value)
        json.field("unsettled_remote_msat", balance.unsettledRemote.value)
        json.field("pending_open_local_msat", balance.pendingOpenLocal.value)
    }

    private func append(_ node: any LightningNode, _ channel: NodeChannel, _ policies: ChannelPolicies, to json: inout JSONWriter) {
        json.object { json in
            append(node, to: &json)
            json.field("chan_id", String(channel.chanID))
            json.field("peer", channel.peer.hex)
            json.field("peer_alias", channel.peerAlias)
            json.field("capacity_sat", channel.capacity.value / 1000)
            json.field("local_msat", channel.local.value)
            json.field("remote_msat", channel.remote.value)
            json.field("unsettled_msat", channel.unsettled.value)
            json.field("pending_htlcs", Int64(channel.pendingHTLCs))
            json.field("active", channel.isActive)
            json.field("private", channel.isPrivate)
            json.field("uptime_seconds", channel.uptimeSeconds)
            json.field("lifetime_seconds", channel.lifetimeSeconds)
            if let policy = policies.local { json.object("local_policy") { append(policy, to: &$0) } }
            if let policy = policies.remote { json.object("remote_policy") { append(policy, to: &$0) } }
        }
    }

    private func append(_ policy: ChannelPolicy, to json: inout JSONWriter) {
        json.field("fee_base_msat", policy.feeBase.value)
        json.field("fee_ppm", policy.feePPM)
        json.field("cltv_delta", policy.cltvDelta)
        json.field("min_htlc_msat", policy.minHTLC.value)
        json.field("max_htlc_msat", policy.maxHTLC.value)
        json.field("disabled", policy.isDisabled)
        json.field("updated_at", policy.updatedAt)
    }

    private func append(_ node: any LightningNode, _ invoice: NodeInvoice, to json: inout JSONWriter) {
        json.object { json in
            append(node, to: &json)
            json.field("number", Int64(clamping: invoice.number))
            json.field("payment_hash", invoice.paymentHash.bytes)
            json.field("payment_request", invoice.paymentRequest)
            json.field("memo", invoice.memo)
            json.field("amount_msat", invoice.amount.map { Int64(clamping: $0.value) })
            json.field("received_msat", invoice.received.value)
            json.field("state", invoice.state.rawValue)
            json.field("created_at", invoice.createdAt)
            json.field("expires_at", invoice.expiresAt)
            if let settledAt = invoice.settledAt { json.field("settled_at", settledAt) }
        }
    }
}

extension Result where Failure == NodeError {
    /// What went wrong; only asked of what did.
    var failure: NodeError { if case .failure(let error) = self { error } else { .lost } }
}

extension NodeError {
    var problem: Problem {
        switch self {
        case .notConnected, .lost: .nodeUnavailable
        case .unsupported: .nodeRefused("this node cannot do it")
        case .notFound: .nodeRefused("the node knows nothing of it")
        case .refused(let text): .nodeRefused(text)
        }
    }
}
