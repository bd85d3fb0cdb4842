import Bolt
import Keys
import Payments
import Testing

@Suite struct ClaimSecretsTests {
    private let secrets = ClaimSecrets(identity: IdentityKey(Bytes32(filledBy: { $0[0] = 1 }))!)
    private let seed = Bytes32(filledBy: { $0[0] = 9 })

    @Test("what was sealed is opened with its seed, and is not to be read in between", arguments: [0, 1, 31, 32, 64, 5000])
    func roundTrip(count: Int) {
        let answer = [UInt8](repeating: 0x41, count: count)
        let sealed = secrets.seal(answer, for: seed)
        #expect(secrets.open(sealed, for: seed) == answer)
        #expect(count < 8 || !sealed.contains(sequence: answer.prefix(8)))
        #expect(secrets.seal(answer, for: seed) != sealed, "the same answer looks different each time")
    }

    @Test("what was altered, cut or sealed for another seed or identity is not opened")
    func altered() throws {
        let sealed = secrets.seal(Array("ley_".utf8), for: seed)
        for index in sealed.indices {
            var other = sealed
            other[index] ^= 1
            #expect(secrets.open(other, for: seed) == nil)
        }
        for count in 0..<sealed.count { #expect(secrets.open(Array(sealed.prefix(count)), for: seed) == nil) }
        #expect(secrets.open(sealed, for: Bytes32()) == nil)
        let other = ClaimSecrets(identity: try #require(IdentityKey(Bytes32(filledBy: { $0[0] = 2 }))))
        #expect(other.open(sealed, for: seed) == nil)
    }

    @Test("a secret is the same for the same seed and purpose, and not the seed")
    func made() {
        #expect(secrets.secret("key", of: seed) == secrets.secret("key", of: seed))
        #expect(secrets.secret("key", of: seed) != secrets.secret("other", of: seed))
        #expect(secrets.secret("key", of: seed) != secrets.secret("key", of: Bytes32()))
        #expect(secrets.secret("key", of: seed) != seed)
    }
}

extension [UInt8] {
    fileprivate func contains(sequence: ArraySlice<UInt8>) -> Bool {
        indices.contains { self[$0...].starts(with: sequence) }
    }
}
