internal import Bolt
internal import Edge
internal import Keys
internal import LND
internal import Ledger
internal import Loop
internal import Payments
internal import Wire

extension GatewayAPI {
    func nodesDocument(for caller: Caller) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.array("nodes") { json in
                for node in gateway.nodes { append(node, for: caller, to: &json) }
            }
        }
        return json.bytes
    }

    /// A draining node is left out of new invoices; what it holds is finished.
    func setDraining(_ exchange: Exchange, _ key: PublicKey, _ isDraining: Bool) {
        guard let node = gateway.nodes.first(where: { $0.pubkey == key }) else { return exchange.refuse(.notFound) }
        gateway.setDraining(node, isDraining) { outcome in
            switch outcome {
            case .failure(let refusal): exchange.refuse(refusal.problem)
            case .success(let state):
                var json = JSONWriter()
                NodeDocument.append(node, state: state, to: &json)
                exchange.respond(json.bytes)
            }
        }
    }

    func showInfo(_ exchange: Exchange, _ caller: Caller) {
        ledger.stream { [self] result in
            guard case .success(let position) = result else { return exchange.refuse(.unavailable) }
            var json = JSONWriter()
            json.object { json in
                json.field("version", gateway.settings.version)
                json.field("network", gateway.settings.network.rawValue)
                json.field("pubkey", gateway.identity.publicKey.hex)
                json.field("epoch", position.epoch)
                json.field("head", position.head)
                json.field("term", position.term)
                json.field("leader", position.isLed ? position.leader : nil)
                json.array("nodes") { json in
                    for node in gateway.nodes { append(node, for: caller, to: &json) }
                }
            }
            exchange.respond(json.bytes)
        }
    }

    /// Where a node is and what is wrong with it is the operator's to know; its name, key and state are everybody's, who
    /// finds them in the invoices.
    private func append(_ node: LNDNode, for caller: Caller, to json: inout JSONWriter) {
        NodeDocument.append(node, state: gateway.stateName(of: node), isWhole: caller.isOperator, to: &json)
    }
}
