// LNURL: the rules by which wallets ask for invoices, take money out and log in, as the LUDs have them.
//
// It guarantees that every answer has only keys which strict wallets know, whole numbers and one form of error; that what is
// hashed into an invoice is the metadata as it was stored; and that a withdrawal whose end is not known is never taken for
// failed.
// It refuses to know sockets, stores, keys, time and randomness: all of these are parameters.
