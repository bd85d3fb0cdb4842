#include <libwebsockets.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

// Macros and extensions that Swift's importer drops.
static inline void clws_zero(struct lws_context_creation_info *info) { memset(info, 0, sizeof *info); }

// Declared under _GNU_SOURCE only; defining that here would make another fd_set than the Glibc module has.
extern int accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags);
static inline int clws_accept(int descriptor, struct sockaddr *address, socklen_t *length) {
    return accept4(descriptor, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

// A builtin. Nothing happens if nothing is there.
static inline void clws_prefetch(const void *line) { __builtin_prefetch(line); }

// Variadic, which Swift's importer drops. Bytes that have arrived and nobody has read, negative if that cannot be told.
static inline int clws_unread(int descriptor) {
    int count = 0;
    return ioctl(descriptor, FIONREAD, &count) < 0 ? -1 : count;
}
