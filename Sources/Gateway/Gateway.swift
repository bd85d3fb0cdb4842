// Gateway: the one place where facts become orders and orders become I/O.
//
// It guarantees that every order of the payment machine is carried out on the loop, in order and without a wait in
// between; that events are published only with the offsets they were committed with, without gaps; and that nodes are
// intercepted only while the lease is held.
// It refuses to know protocols and storage formats: those are the adapters' below. It decides nothing about payments:
// that is the machine's.
