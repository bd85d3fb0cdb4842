internal import CUV
internal import Glibc

/// A socket address as the kernel wants it.
public struct SocketAddress: Sendable {
    let family: Int32
    private let storage: [UInt8]

    init?(_ information: addrinfo) {
        guard let address = unsafe information.ai_addr else { return nil }
        family = unsafe information.ai_family
        storage = unsafe [UInt8](UnsafeRawBufferPointer(start: address, count: Int(information.ai_addrlen)))
    }

    /// The bytes of an address in numbers, four or sixteen; `nil` for a name.
    static func numbers(of host: String) -> [UInt8]? {
        for (family, count) in [(AF_INET, 4), (AF_INET6, 16)] {
            var bytes = [UInt8](repeating: 0, count: count)
            if unsafe inet_pton(family, host, &bytes) == 1 { return bytes }
        }
        return nil
    }

    /// The address alone, in network order: four octets or sixteen, none of another family.
    public var octets: [UInt8] {
        // `sockaddr_in` has it behind the port, `sockaddr_in6` behind the flow label too.
        switch family {
        case AF_INET where storage.count >= 8: Array(storage[4..<8])
        case AF_INET6 where storage.count >= 24: Array(storage[8..<24])
        default: []
        }
    }

    /// A non-blocking TCP socket of this address's family, or -1.
    func makeSocket() -> Int32 {
        socket(family, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
    }

    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        unsafe storage.withUnsafeBytes { bytes in
            unsafe body(bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
        }
    }
}
