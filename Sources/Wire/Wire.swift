// Wire: what clients send and get, as values: JSON, the REST objects, the Centrifuge protocol in its JSON form.
//
// It guarantees that the same value gives the same bytes on every transport, that nothing a client sends traps, and
// that amounts are whole numbers from end to end.
// It refuses to know sockets, clocks, storage and keys.
