import Glibc
import Loop

/// A port on which connections are neither accepted nor refused, as behind a firewall that drops.
@LoopActor
final class Silence {
    private let descriptor: Int32
    private var fillers: [TCPStream] = []

    struct Failure: Error { var number: Int32 }

    init(host: String, port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        _ = unsafe inet_pton(AF_INET, host, &address.sin_addr)
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let result = unsafe withUnsafePointer(to: &address) { unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe bind(descriptor, $0, size) } }
        guard result == 0, listen(descriptor, 0) == 0 else { throw Failure(number: errno) }
        // They take what room there is before anybody would have to accept.
        for _ in 0..<4 { fillers.append(TCPStream(host: host, port: port)) }
    }

    func close() {
        for filler in fillers { filler.close() }
        _ = Glibc.close(descriptor)
    }
}
