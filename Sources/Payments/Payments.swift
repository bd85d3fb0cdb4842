// Payments: the values of a Lightning payment and the decisions about it.
//
// It guarantees that the same facts in the same order give the same orders, that a preimage is ordered out only after
// the settlement was reported durable, and that an HTLC of a committed set is never ordered to fail.
// It refuses to know clocks, sockets, databases, keys and JSON, and imports nothing.
