// Keys: the one place that sees a private key, and the house's cryptography over libsecp256k1 and libcrypto.
//
// It guarantees that private keys and what is derived from them are wiped when they are given up and are never part of
// a description, and that secrets are compared in constant time.
// It refuses to know payments' states, networks, files and where keys come from.
