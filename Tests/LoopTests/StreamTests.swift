import Loop
import TestSupport
import Testing

/// What came over a stream and how it ended.
@LoopActor
private final class Record {
    var bytes: [UInt8] = []
    var opened = 0
    var ends: [CloseReason] = []

    func watch(_ stream: any ByteStream, onEnd: (@LoopActor () -> Void)? = nil) {
        stream.onOpen = { self.opened += 1 }
        stream.onBytes = { unsafe $0.withUnsafeBufferPointer { unsafe self.bytes.append(contentsOf: $0) } }
        stream.onClose = { reason in
            self.ends.append(reason)
            onEnd?()
        }
    }
}

@Suite("Streams", .timeLimit(.minutes(1)))
@LoopActor
struct StreamTests {
    private func serverTLS() throws -> TLSServerConfiguration {
        try TLSServerConfiguration(certificatePEM: TestCertificates.valid, keyPEM: TestCertificates.validKey)
    }

    /// A server that sends back what it gets; with TLS if told.
    private func echo(tls: TLSServerConfiguration? = nil) throws -> TCPListener {
        try TCPListener(host: "127.0.0.1", port: 0) { accepted in
            let stream: any ByteStream = if let tls { TLSStream(accepting: accepted, configuration: tls) } else { accepted }
            stream.onBytes = { [unowned stream] in stream.write($0) }
        }
    }

    private func connect(_ port: Int, tls: Bool) throws -> any ByteStream {
        tls
            ? TLSStream(host: "127.0.0.1", port: port, client: try TLSClient(pinned: TestCertificates.valid))
            : TCPStream(host: "localhost", port: port)
    }

    @Test("what is written before and after opening comes back whole and in order", arguments: [false, true])
    func echoes(tls: Bool) async throws {
        let listener = try echo(tls: tls ? try serverTLS() : nil)
        let stream = try connect(listener.port, tls: tls)
        let record = Record()
        record.watch(stream)
        let block = [UInt8](repeating: 0xA5, count: 100_000)
        stream.write([1, 2, 3])
        for _ in 0..<30 { stream.write(block) }
        while record.bytes.count < 3_000_003 && record.ends.isEmpty { await pause(milliseconds: 5) }
        #expect(record.opened == 1)
        #expect(Array(record.bytes.prefix(4)) == [1, 2, 3, 0xA5])
        #expect(stream.bufferedBytes == 0)
        stream.close()
        stream.close()
        stream.write([1])
        #expect(record.ends == [.closedHere])
        listener.close()
    }

    @Test("closing after writing hands over everything first, and the other side sees an end", arguments: [false, true])
    func closesAfterWriting(tls: Bool) async throws {
        let configuration = try serverTLS()
        let block = [UInt8](repeating: 7, count: 2_000_000)
        let listener = try TCPListener(host: "127.0.0.1", port: 0) { accepted in
            let stream: any ByteStream =
                if tls { TLSStream(accepting: accepted, configuration: configuration) } else { accepted }
            stream.write(block)
            stream.closeAfterWriting()
        }
        let record = Record()
        let stream = try connect(listener.port, tls: tls)
        await withCheckedContinuation { done in record.watch(stream) { done.resume() } }
        #expect(record.bytes.count == 2_000_000)
        #expect(record.ends == [.closedByPeer])
        listener.close()
    }

    @Test("a full socket is told when it has drained")
    func drains() async throws {
        var accepted: TCPStream?
        let listener = try TCPListener(host: "127.0.0.1", port: 0) { accepted = $0 }
        let stream = TCPStream(host: "127.0.0.1", port: listener.port)
        let record = Record()
        record.watch(stream)
        while accepted == nil { await pause(milliseconds: 2) }
        var received = 0
        accepted?.onBytes = { received += $0.count }
        stream.write([UInt8](repeating: 0, count: 30_000_000))
        await withCheckedContinuation { done in
            stream.onDrain = { done.resume() }
            stream.flush()
            #expect(stream.bufferedBytes > 0)
        }
        #expect(stream.bufferedBytes == 0)
        stream.close()
        accepted?.close()
        listener.close()
    }

    @Test("nobody on the port: refused; a name that does not exist: unreachable; nobody who answers: timed out")
    func failures() async throws {
        let listener = try echo()
        let port = listener.port
        listener.close()
        #expect(await end(of: TCPStream(host: "localhost", port: port)) == .refused)
        #expect(await end(of: TCPStream(host: "no-such-host.invalid", port: 1)) == .unreachable)
        let mute = try TCPListener(host: "127.0.0.1", port: 0) { _ in }
        let client = try TLSClient(pinned: TestCertificates.valid)
        let waiting = TLSStream(host: "127.0.0.1", port: mute.port, client: client, timeoutMilliseconds: 80)
        #expect(await end(of: waiting) == .timedOut)
        mute.close()
    }

    @Test("another certificate than the pinned one ends the handshake on both sides")
    func mismatch() async throws {
        let configuration = try serverTLS()
        let record = Record()
        let listener = try TCPListener(host: "127.0.0.1", port: 0) { accepted in
            record.watch(TLSStream(accepting: accepted, configuration: configuration))
        }
        let client = try TLSClient(pinned: TestCertificates.expired)
        let stream = TLSStream(host: "127.0.0.1", port: listener.port, client: client)
        stream.write([1, 2, 3])
        #expect(await end(of: stream) == .certificateMismatch)
        while record.ends.isEmpty { await pause(milliseconds: 2) }
        #expect(record.bytes.isEmpty)
        listener.close()
    }

    @Test("a closed stream is released")
    func released() async throws {
        let listener = try echo(tls: try serverTLS())
        weak var stream: TLSStream?
        do {
            let strong = try TLSStream(
                host: "127.0.0.1", port: listener.port, client: TLSClient(pinned: TestCertificates.valid))
            stream = strong
            await withCheckedContinuation { done in strong.onOpen = { done.resume() } }
            strong.close()
        }
        while stream != nil { await pause(milliseconds: 2) }
        listener.close()
    }

    @Test("what is no certificate or no key is refused with words, not with a trap")
    func badCertificates() throws {
        #expect(throws: TLSError.self) { try TLSClient(pinned: []) }
        #expect(throws: TLSError.self) { try TLSClient(pinned: Array("-----BEGIN CERTIFICATE-----\nAAAA\n".utf8)) }
        #expect(throws: TLSError.self) { try TLSClient(pinned: [UInt8](repeating: 0x30, count: 500)) }
        #expect(throws: TLSError.self) {
            try TLSServerConfiguration(certificatePEM: TestCertificates.valid, keyPEM: TestCertificates.expiredKey)
        }
        #expect(throws: TLSError.self) { try TLSServerConfiguration(certificatePEM: [1], keyPEM: TestCertificates.validKey) }
    }

    @Test("an encrypted key is refused instead of asking the terminal", .timeLimit(.minutes(1)))
    func encryptedKey() {
        let head = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"
        let key = Array((head + "AAAAAAAAAAAAAAAAAAAAAA==\n-----END RSA PRIVATE KEY-----\n").utf8)
        #expect(throws: TLSError.self) {
            try TLSServerConfiguration(certificatePEM: TestCertificates.valid, keyPEM: key)
        }
    }

    @Test("a port that is taken is an error, not a trap")
    func portTaken() throws {
        let listener = try echo()
        #expect(throws: TCPListener.Failure.self) { try TCPListener(host: "127.0.0.1", port: listener.port) { _ in } }
        listener.close()
        listener.close()
    }

    private func end(of stream: any ByteStream) async -> CloseReason {
        await withCheckedContinuation { done in stream.onClose = { done.resume(returning: $0) } }
    }
}
