internal import CLWS
internal import Glibc

/// The few system calls on a connected, non-blocking TCP socket.
enum Socket {
    enum ReadOutcome: Equatable {
        case bytes(Int)
        case wouldBlock
        case closed
    }

    static func read(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) -> ReadOutcome {
        while true {
            let count = unsafe recv(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
            if count > 0 { return .bytes(count) }
            if count == 0 { return .closed }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            default: return .closed
            }
        }
    }

    /// How many bytes the kernel took; `nil` if the connection is broken.
    static func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int? {
        while true {
            let count = unsafe send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
            if count >= 0 { return count }
            switch errno {
            case EINTR: continue
            case EAGAIN: return 0
            default: return nil
            }
        }
    }

    /// How many bytes have been read from the connection since it began, or a few more; `nil` where the system does not count.
    static func taken(_ descriptor: Int32) -> UInt64? {
        // Asked for first: what arrives between the two questions must not be missing.
        let unread = clws_unread(descriptor)
        // `tcpi_bytes_received` of linux/tcp.h, which cannot be included beside the other header of that name.
        let offset = 128
        var size = socklen_t(offset + 8)
        return unsafe withUnsafeTemporaryAllocation(byteCount: offset + 8, alignment: 8) { info in
            guard unread >= 0, unsafe getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_INFO, info.baseAddress, &size) == 0, Int(size) == offset + 8
            else { return nil }
            let received = unsafe info.load(fromByteOffset: offset, as: UInt64.self)
            return received >= UInt64(unread) && received > 0 ? received - UInt64(unread) : nil
        }
    }

    static func finishWriting(_ descriptor: Int32) { shutdown(descriptor, Int32(SHUT_WR)) }
    static func close(_ descriptor: Int32) { Glibc.close(descriptor) }

    /// Ends a connection whose peer acknowledges nothing for so long: it is gone without a word.
    static func limitSilence(_ descriptor: Int32, milliseconds: UInt32) {
        var limit = milliseconds
        unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &limit, socklen_t(MemoryLayout<UInt32>.size))
    }

    /// Frames are whole when they are written, so there is nothing to wait for (RFC 896).
    static func disableNagle(_ descriptor: Int32) {
        var yes: Int32 = 1
        unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
    }
}
