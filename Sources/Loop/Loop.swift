// Loop: the machine room. One libuv loop on one thread, the actor that runs on it, its timers, and its streams.
//
// It guarantees that everything on `LoopActor` runs on that thread, that the loop is woken once per batch, that a stream
// closes exactly once with a reason, and that what is written in one turn leaves in one write.
// It refuses to know protocols above TLS, payments, databases and nodes.
