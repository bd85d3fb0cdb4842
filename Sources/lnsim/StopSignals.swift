internal import Foundation

/// SIGTERM and SIGINT as something to wait for. Make it before any thread starts: threads inherit what is blocked.
struct StopSignals {
    private let set: sigset_t

    init() {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        unsafe sigaddset(&set, SIGTERM)
        unsafe sigaddset(&set, SIGINT)
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
        self.set = set
    }

    func wait() {
        var set = set
        var number: Int32 = 0
        unsafe sigwait(&set, &number)
    }
}
