import Keys
import Payments
import Testing

@Suite struct InvoiceNotesTests {
    let notes = InvoiceNotes(identity: IdentityKey(Bytes32(filledBy: { $0[31] = 1 }))!)
    let other = InvoiceNotes(identity: IdentityKey(Bytes32(filledBy: { $0[31] = 2 }))!)
    let secret = PaymentSecret(Bytes32(filledBy: { $0[0] = 7 }))
    let text = Array(#"{"pay_link":"pl_1","comment":"tea"}"#.utf8)

    @Test("a note comes back for its invoice alone, and unaltered")
    func sealed() {
        let sealed = notes.seal(text, for: secret)
        #expect(notes.open(sealed, for: secret) == text)
        #expect(other.open(sealed, for: secret) == nil)
        #expect(notes.open(sealed, for: PaymentSecret(Bytes32())) == nil)
        for index in sealed.indices {
            var altered = sealed
            altered[index] ^= 1
            #expect(notes.open(altered, for: secret) == nil)
        }
        #expect(notes.open([], for: secret) == nil && notes.open(Array(sealed.prefix(15)), for: secret) == nil)
    }

    @Test("two notes for one secret do not share their key stream")
    func streams() {
        let first = notes.seal([UInt8](repeating: 0, count: 32), for: secret)
        let second = notes.seal([UInt8](repeating: 0, count: 31) + [1], for: secret)
        #expect(first[16..<46] != second[16..<46])
    }
}
