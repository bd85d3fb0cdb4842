// gRPC for clients and servers: one HTTP/2 layer (nghttp2) over the loop's streams.
//
// Guarantees: a call ends exactly once, with a status, whatever happens to the connection; closures run on the loop, never
// inside the call that causes them unless it says so; what is sent in one turn of the loop leaves in one write; bytes of
// the peer never trap.
// It refuses to know what the messages mean: they are bytes.
