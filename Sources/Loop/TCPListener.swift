internal import CUV
internal import Glibc

/// A listening TCP socket.
@LoopActor
@safe
public final class TCPListener {
    public enum Failure: Error, Equatable, Sendable {
        case unknownAddress(String)
        /// The number is the system's `errno`.
        case cannotListen(Int32)
    }

    /// The port in use; the system's choice if zero was asked for.
    public private(set) var port = 0
    private var descriptor: Int32 = -1
    private var poll: PollHandle?
    private let onAccept: @LoopActor (TCPStream) -> Void

    /// Listens at once. The streams are open already; set their closures before returning. A port that `isShared` can be
    /// listened on by other processes of this user that share it too.
    public init(host: String, port: Int, isShared: Bool = false, onAccept: @escaping @LoopActor (TCPStream) -> Void) throws(Failure) {
        self.onAccept = onAccept
        guard let address = HostLookup.wait(host: host, port: port).first else { throw .unknownAddress(host) }
        descriptor = address.makeSocket()
        guard descriptor >= 0 else { throw .cannotListen(errno) }
        var on: Int32 = 1
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        if isShared { unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, socklen_t(MemoryLayout<Int32>.size)) }
        guard unsafe address.withPointer({ unsafe bind(descriptor, $0, $1) }) == 0, listen(descriptor, 511) == 0 else {
            let error = errno
            _ = Glibc.close(descriptor)
            throw .cannotListen(error)
        }
        self.port = boundPort()
        poll = PollHandle(descriptor: descriptor) { [weak self] _, _ in self?.acceptAll() }
        poll?.want(.readable)
    }

    /// Streams that were accepted stay open. Safe to call twice.
    public func close() {
        poll?.close()
        poll = nil
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
        descriptor = -1
    }

    private func acceptAll() {
        for _ in 0..<64 where descriptor >= 0 {
            let accepted = accept(descriptor, nil, nil)
            guard accepted >= 0 else { return pauseIfExhausted(errno) }
            _ = fcntl(accepted, F_SETFD, FD_CLOEXEC)
            onAccept(TCPStream(taking: accepted))
        }
    }

    /// Without descriptors the waiting connection would wake the loop without end.
    private func pauseIfExhausted(_ error: Int32) {
        guard [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(error) else { return }
        poll?.want([])
        _ = Timer(afterMilliseconds: 100) { [weak self] in self?.poll?.want(.readable) }
    }

    private func boundPort() -> Int {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let bigEndian = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = unsafe getsockname(descriptor, $0, &size) }
            // The port stands at the same place in both families.
            return unsafe pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { unsafe $0.pointee.sin_port }
        }
        return Int(UInt16(bigEndian: bigEndian))
    }
}
