// Bounded memory between what happens and who is told.
//
// Guarantees: a frame is encoded once and shared; a subscriber that keeps up costs sixteen bytes per topic, one that
// does not costs no more, because it is a cursor into a log of limited size; what a log no longer holds is said, never
// skipped. It refuses to know sockets, channels' names and who may see what.
