internal import Glibc
internal import Loop

/// Tells the service manager how the process stands (systemd's notification protocol): one datagram for each news.
@LoopActor
final class ServiceManager {
    private let address: [UInt8]
    private let watchdogMilliseconds: UInt64?
    private var beats: Timer?

    /// `nil` if nobody wants to know.
    nonisolated init?(environment: [String: String]) {
        guard let path = environment["NOTIFY_SOCKET"], path.hasPrefix("/") || path.hasPrefix("@") else { return nil }
        var address = Array(path.utf8)
        // An abstract address begins with a zero byte instead of the sign that stands for it.
        if address[0] == UInt8(ascii: "@") { address[0] = 0 }
        guard address.count < MemoryLayout.size(ofValue: sockaddr_un().sun_path) else { return nil }
        self.address = address
        let isMine = environment["WATCHDOG_PID"].map { $0 == "\(getpid())" } ?? true
        watchdogMilliseconds = isMine ? environment["WATCHDOG_USEC"].flatMap { UInt64($0) }.map { $0 / 1000 } : nil
    }

    /// From now on the loop proves by its beats that it runs.
    func ready() {
        send("READY=1")
        guard let watchdogMilliseconds, watchdogMilliseconds > 1 else { return }
        send("WATCHDOG=1")
        beats = Timer(afterMilliseconds: watchdogMilliseconds / 2, repeats: watchdogMilliseconds / 2) { [weak self] in self?.send("WATCHDOG=1") }
    }

    /// Until it has ended it goes on to beat.
    func stopping() { send("STOPPING=1") }

    /// Nothing depends on whether it arrives.
    private func send(_ text: String) {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(text.utf8)
        unsafe withUnsafeMutableBytes(of: &name.sun_path) { unsafe $0.copyBytes(from: address) }
        // The length tells where an abstract name ends.
        let length = socklen_t(MemoryLayout<sa_family_t>.size + address.count + (address[0] == 0 ? 0 : 1))
        _ = unsafe withUnsafePointer(to: &name) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, length) }
        }
    }
}
