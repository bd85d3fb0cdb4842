internal import CLWS
internal import Glibc

/// An IPv4 or IPv6 address with a port, in the form bind(2) takes.
struct SocketAddress {
    private(set) var storage = sockaddr_storage()
    private(set) var length: socklen_t = 0
    var family: Int32 { Int32(storage.ss_family) }

    init?(address: String, port: UInt16) {
        var v4 = sockaddr_in()
        if unsafe inet_pton(AF_INET, address, &v4.sin_addr) == 1 {
            v4.sin_family = sa_family_t(AF_INET)
            v4.sin_port = port.bigEndian
            unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.storeBytes(of: v4, as: sockaddr_in.self) }
            length = socklen_t(MemoryLayout<sockaddr_in>.size)
            return
        }
        var v6 = sockaddr_in6()
        guard unsafe inet_pton(AF_INET6, address, &v6.sin6_addr) == 1 else { return nil }
        v6.sin6_family = sa_family_t(AF_INET6)
        v6.sin6_port = port.bigEndian
        unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.storeBytes(of: v6, as: sockaddr_in6.self) }
        length = socklen_t(MemoryLayout<sockaddr_in6>.size)
    }

    init(_ storage: sockaddr_storage, length: socklen_t) {
        self.storage = storage
        self.length = length
    }

    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        unsafe withUnsafePointer(to: storage) { unsafe body(UnsafeRawPointer($0).assumingMemoryBound(to: sockaddr.self), length) }
    }

    var port: UInt16 {
        unsafe withUnsafeBytes(of: storage) { bytes in
            unsafe family == AF_INET6
                ? UInt16(bigEndian: bytes.load(as: sockaddr_in6.self).sin6_port) : UInt16(bigEndian: bytes.load(as: sockaddr_in.self).sin_port)
        }
    }

    /// What belongs to one subscriber of an access provider: an IPv4 address, or the first half of an IPv6 address.
    var network: UInt64 {
        unsafe withUnsafeBytes(of: storage) { bytes in
            guard family == AF_INET6 else { return unsafe UInt64(bytes.load(as: sockaddr_in.self).sin_addr.s_addr) }
            var address = unsafe bytes.load(as: sockaddr_in6.self).sin6_addr
            return unsafe withUnsafeBytes(of: &address) { octets in
                // An IPv4 address in IPv6 clothes stands in the last four.
                let isMapped = unsafe octets[..<10].allSatisfy { $0 == 0 } && octets[10] == 0xFF && octets[11] == 0xFF
                return unsafe isMapped
                    ? UInt64(octets.loadUnaligned(fromByteOffset: 12, as: UInt32.self)) : octets.loadUnaligned(as: UInt64.self)
            }
        }
    }

    /// The address in numbers, without the port; an IPv4 address in IPv6 clothes is undressed.
    var host: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        unsafe withUnsafeBytes(of: storage) { bytes in
            if family == AF_INET6 {
                var address = unsafe bytes.load(as: sockaddr_in6.self).sin6_addr
                unsafe inet_ntop(AF_INET6, &address, &text, socklen_t(text.count))
            } else {
                var address = unsafe bytes.load(as: sockaddr_in.self).sin_addr
                unsafe inet_ntop(AF_INET, &address, &text, socklen_t(text.count))
            }
        }
        let host = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return host.hasPrefix("::ffff:") && host.contains(".") ? String(host.dropFirst(7)) : host
    }
}
