#include <uv.h>

// The loop that runs on the calling thread, or null. Swift has no thread-local storage, and asking the kernel for
// the thread's id at each entry from C would cost more than the work done there.
static inline void **cuv_current(void) {
    static __thread void *current;
    return &current;
}
