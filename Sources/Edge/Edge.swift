// The edge: HTTP/1.1, server-sent events and WebSocket towards browsers, merchants and wallets.
//
// Guarantees: bytes from outside are answered or the connection is closed, they never trap; a frame is encoded once
// and written through to every subscriber at publish; memory per client is bounded, and one that does not read is
// closed with 3008 and can resume; a fan-out never holds the loop for longer than one slice.
// It refuses to know payments, storage and who may do what: it asks its ``EdgeApplication``.
//
// HTTP is read here, in ``HTTPParser``. libwebsockets gets a socket when its request is a WebSocket handshake, with the
// bytes that were read. Its own HTTP side was tried and left: it does not read while an answer is awaited, so that
// one pipelined byte makes the level-triggered loop spin, and a flow-controlled connection is not written to.
