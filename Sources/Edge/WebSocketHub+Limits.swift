internal import CLWS
internal import Loop
internal import Wire

/// What is looked for from outside, because libwebsockets does not tell of it.
extension WebSocketHub {
    /// Clients that have not said who they are are looked at ten times a second: until then nobody knows them.
    func watch(_ client: WebSocketClient) {
        arriving.append(client)
        guard arrivals == nil else { return }
        arrivals = Timer(afterMilliseconds: 100, repeats: 100) { [weak self] in self?.lookAfterArriving() }
    }

    private func lookAfterArriving() {
        arriving.removeAll { $0.isClosing || $0.session.isConnected }
        for client in arriving { refuseHugeMessage(client) }
        guard arriving.isEmpty else { return }
        arrivals?.cancel()
        arrivals = nil
    }

    /// Called every five seconds for each client.
    func look(after client: WebSocketClient) {
        guard !client.isClosing else { return }
        if Int(client.stall()) * 5 > server.limits.stallSeconds { return dismissSlow(client) }
        refuseHugeMessage(client)
        timePassed(client)
        review(client)
    }

    /// A frame's length is known when its header has come, and told to us with its first bytes, which may never come.
    private func refuseHugeMessage(_ client: WebSocketClient) {
        guard unsafe lws_remaining_packet_payload(client.wsi) > server.limits.messageBytes else { return }
        dismiss(client, code: 1009, reason: "message too big")
    }
}
