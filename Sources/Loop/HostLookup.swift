internal import CUV
internal import Glibc

/// Turns a host name or a numeric address into socket addresses, off the loop's thread.
@LoopActor
@safe
public final class HostLookup {
    private let completion: @LoopActor ([SocketAddress]) -> Void

    /// libuv looks up half as many names at a time as it has threads, of which it has four where nothing is said. Said before the first
    /// of them runs, and not where the operator has said it.
    private static let threads: Void = { unsafe _ = setenv("UV_THREADPOOL_SIZE", "16", 0) }()

    /// The completion runs once, with an empty list if the name does not resolve.
    public static func start(host: String, port: Int, _ completion: @escaping @LoopActor ([SocketAddress]) -> Void) {
        _ = threads
        let lookup = HostLookup(completion)
        let request = UnsafeMutablePointer<uv_getaddrinfo_t>.allocate(capacity: 1)
        unsafe request.initialize(to: uv_getaddrinfo_t())
        unsafe request.pointee.data = Unmanaged.passRetained(lookup).toOpaque()
        var hints = unsafe streamHints
        let loop = unsafe LoopActor.loop.rawLoop.assumingMemoryBound(to: uv_loop_t.self)
        let result = unsafe uv_getaddrinfo(loop, request, hostResolved, host, String(port), &hints)
        if result != 0 { unsafe hostResolved(request, status: result, list: nil) }
    }

    /// Resolves on this thread: for addresses to listen on, at start.
    nonisolated static func wait(host: String, port: Int) -> [SocketAddress] {
        var hints = unsafe streamHints
        unsafe hints.ai_flags = AI_PASSIVE
        var list: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(host, String(port), &hints, &list) == 0 else { return [] }
        defer { unsafe freeaddrinfo(list) }
        return unsafe addresses(in: list)
    }

    private init(_ completion: @escaping @LoopActor ([SocketAddress]) -> Void) { self.completion = completion }

    fileprivate func finish(_ addresses: [SocketAddress]) { completion(addresses) }

    private nonisolated static var streamHints: addrinfo {
        var hints = unsafe addrinfo()
        unsafe hints.ai_family = AF_UNSPEC
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        return unsafe hints
    }

    fileprivate nonisolated static func addresses(in list: UnsafeMutablePointer<addrinfo>?) -> [SocketAddress] {
        var found: [SocketAddress] = []
        var next = unsafe list
        while let entry = unsafe next {
            if let address = unsafe SocketAddress(entry.pointee) { found.append(address) }
            unsafe next = entry.pointee.ai_next
        }
        return found
    }
}

private func hostResolved(_ request: UnsafeMutablePointer<uv_getaddrinfo_t>?, status: Int32, list: UnsafeMutablePointer<addrinfo>?) {
    let lookup = unsafe Unmanaged<HostLookup>.fromOpaque(request!.pointee.data!).takeRetainedValue()
    let addresses = unsafe status == 0 ? HostLookup.addresses(in: list) : []
    unsafe uv_freeaddrinfo(list)
    unsafe request!.deallocate()
    LoopActor.assumeIsolated { lookup.finish(addresses) }
}
