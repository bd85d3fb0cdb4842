// Webhooks: requests to addresses that others have given us, through libcurl on the loop.
//
// It guarantees that every request is answered exactly once and in bounded time, that it goes to no address that the rules
// forbid whatever its name resolves to, that no redirect, proxy or cookie is obeyed, that TLS is verified, and that an
// answer of any length costs a bounded amount of memory.
// It refuses to know what is sent and why, and when it is tried again.
