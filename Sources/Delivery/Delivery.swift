// Delivery: what may be called from here, what is signed, and when it is tried again.
//
// It guarantees that an endpoint's events are sent in the order of the log unless one has to be repeated, that an event is
// left behind only when it was delivered or its repetition is stored, that a failing endpoint is asked rarely and never for
// ever, and that an address which is not public is told apart however it is written.
// It refuses to know sockets, clocks, keys and the store: time and jitter are parameters.
