// LND: one adapter per LND node, over its own gRPC interface.
//
// It guarantees that a node is used only after it proved who it is and that it keeps held HTLCs safe; that every HTLC
// which is not ours is resumed at once; that nothing reaches the interceptor stream which LND would end it for; and that
// trouble with one node stays with that node.
// It refuses to know invoices, onions, the database and why an answer was given.
