internal import CLWS
internal import Glibc
internal import Loop

/// A listening socket that shares its port with those of other shards and processes (`SO_REUSEPORT`).
@LoopActor
final class Acceptor {
    let port: UInt16
    private let descriptor: Int32
    private var poll: PollHandle?
    private var pause: Timer?
    private let body: @LoopActor (_ descriptor: Int32, _ peer: SocketAddress) -> Void

    init(address: String, port: UInt16, _ body: @escaping @LoopActor (Int32, SocketAddress) -> Void) throws(EdgeError) {
        guard let wanted = SocketAddress(address: address, port: port) else { throw .badAddress(address) }
        let descriptor = socket(wanted.family, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .cannotListen(address: address, port: port, errno: errno) }
        var yes: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, size)
        // Where the system chooses the port, it could choose one that another socket is sharing.
        if port != 0 { unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &yes, size) }
        let bound = unsafe wanted.withPointer { unsafe bind(descriptor, $0, $1) }
        guard bound == 0, listen(descriptor, 4096) == 0 else {
            let reason = errno
            Socket.close(descriptor)
            throw .cannotListen(address: address, port: port, errno: reason)
        }
        var actual = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        unsafe withUnsafeMutablePointer(to: &actual) {
            _ = unsafe getsockname(descriptor, UnsafeMutableRawPointer($0).assumingMemoryBound(to: sockaddr.self), &length)
        }
        self.port = SocketAddress(actual, length: length).port
        self.descriptor = descriptor
        self.body = body
        poll = PollHandle(descriptor: descriptor) { [weak self] _, _ in self?.acceptSome() }
        poll?.want(.readable)
    }

    func close() {
        guard poll != nil || pause != nil else { return }
        poll?.close()
        poll = nil
        pause?.cancel()
        pause = nil
        Socket.close(descriptor)
    }

    /// At most sixty-four in one turn, so that a storm of connections does not hold up the others.
    func acceptSome() {
        for _ in 0..<64 {
            var peer = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let accepted = unsafe withUnsafeMutablePointer(to: &peer) {
                unsafe clws_accept(descriptor, UnsafeMutableRawPointer($0).assumingMemoryBound(to: sockaddr.self), &length)
            }
            if accepted >= 0 {
                Socket.disableNagle(accepted)
                body(accepted, SocketAddress(peer, length: length))
                continue
            }
            switch errno {
            case EINTR, ECONNABORTED: continue
            case EMFILE, ENFILE, ENOBUFS, ENOMEM: return waitForDescriptors()
            default: return
            }
        }
    }

    /// Without descriptors the socket stays readable and the loop would spin.
    private func waitForDescriptors() {
        poll?.want([])
        pause = Timer(afterMilliseconds: 100) { [weak self] in
            self?.pause = nil
            self?.poll?.want(.readable)
        }
    }
}
