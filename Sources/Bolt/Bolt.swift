// Bolt: the codecs of BOLT 1 (BigSize, TLV), BOLT 4 (onions, failures) and BOLT 11 (invoices).
//
// It guarantees that what it writes is the shortest form the standard allows, that what it reads is either understood
// whole or refused with a reason, and that no bytes from outside can make it trap.
// It refuses to know clocks, randomness and keys: elliptic curves and hashes come in as a `Cryptography`.
