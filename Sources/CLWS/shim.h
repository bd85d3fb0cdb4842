#include <libwebsockets.h>
#include <string.h>
#include <sys/socket.h>

// Macros and extensions that Swift's importer drops.
static inline void clws_zero(struct lws_context_creation_info *info) { memset(info, 0, sizeof *info); }

// Declared under _GNU_SOURCE only; defining that here would make another fd_set than the Glibc module has.
extern int accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags);
static inline int clws_accept(int descriptor, struct sockaddr *address, socklen_t *length) {
    return accept4(descriptor, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}
