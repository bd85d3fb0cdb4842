import Payments
import TestSupport
import Testing

@testable import LND

@Suite("Certificates and macaroons")
struct CredentialSourceTests {
    private static let macaroon: [UInt8] = [2, 1, 3] + (0..<60).map { UInt8($0) }
    private static let pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"

    @Test("a macaroon is taken as hex and as base64 of either alphabet")
    func macaroonInline() {
        let bytes = Self.macaroon
        #expect(CredentialSource(macaroon: Hex.encode(bytes)) == .bytes(bytes))
        #expect(CredentialSource(macaroon: " \(Hex.encode(bytes).uppercased())\n") == .bytes(bytes))
        #expect(CredentialSource(macaroon: "AgEDAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7") == .bytes(bytes))
    }

    @Test("everything else is a path", arguments: ["/etc/leyden/admin.macaroon", "admin.macaroon", "secrets/AgED", "abcd", ""])
    func path(text: String) {
        #expect(CredentialSource(macaroon: text) == .path(text))
        #expect(CredentialSource(certificate: text) == .path(text))
    }

    @Test("a certificate is taken as PEM, and as hex and base64 of PEM or DER")
    func certificateInline() {
        let pem = Array(Self.pem.utf8)
        #expect(CredentialSource(certificate: Self.pem) == .bytes(pem))
        #expect(CredentialSource(certificate: Hex.encode(pem)) == .bytes(pem))
        #expect(CredentialSource(certificate: "MIIB") == .bytes([0x30, 0x82, 0x01]))
        #expect(CredentialSource(certificate: "308201") == .bytes([0x30, 0x82, 0x01]))
    }

    @Test("inline bytes never show")
    func hidden() {
        let source = CredentialSource.bytes(Self.macaroon)
        #expect("\(source)" == "given inline")
        #expect(String(reflecting: source) == "given inline")
        #expect(Mirror(reflecting: source).children.isEmpty)
    }

    @Test("a file that is not there or empty is told apart")
    func unreadable() {
        #expect(throws: CredentialSource.ReadError.cannotOpen) { try CredentialSource.path("/nonexistent/tls.cert").read() }
        #expect(throws: CredentialSource.ReadError.cannotRead) { try CredentialSource.path("/").read() }
        #expect(throws: CredentialSource.ReadError.empty) { try CredentialSource.path("/dev/null").read() }
        #expect(throws: CredentialSource.ReadError.tooLong) { try CredentialSource.path("/dev/zero").read() }
        #expect(throws: CredentialSource.ReadError.empty) { try CredentialSource.bytes([]).read() }
    }

    @Test("a macaroon goes out as lower-case hex, also if its file holds hex")
    func metadata() {
        #expect(Macaroon.metadataValue([2, 0xab]) == "02ab")
        #expect(Macaroon.metadataValue(Array("02AB\n".utf8)) == "02ab")
    }

    @Test("no text makes reading trap")
    func fuzz() {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<3_000 {
            let bytes = (0..<Int.random(in: 0...80, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let text = String(decoding: bytes, as: UTF8.self)
            _ = CredentialSource(macaroon: text)
            _ = CredentialSource(certificate: text)
            _ = Base64.decode(bytes)
            _ = LNDVersion(text)
        }
    }
}
