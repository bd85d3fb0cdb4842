import Payments
import Testing

@Suite("Sets for which nobody listens")
struct AttendanceTests {
    private func unattended(_ offer: Offer) -> Offer {
        var offer = offer
        offer.isAttended = false
        return offer
    }

    @Test("do not begin")
    func new() {
        var machine = machine()
        #expect(machine.offered(unattended(offer(settlement: .hold)), at: seconds(1)).lookUps == [hash(1)])
        #expect(machine.found(hash(1), nil, at: seconds(1)).rejections == [.unattended])
        #expect(machine.liveCount == 0)
    }

    @Test("go on if they have begun")
    func begun() {
        var machine = machine()
        _ = machine.offered(offer(on: 1, amount: 400, settlement: .hold), at: seconds(1))
        #expect(machine.offered(unattended(offer(on: 2, amount: 600, settlement: .hold)), at: seconds(2)).changes.count == 1)
    }

    @Test("are settled again if they were settled")
    func settled() {
        var machine = machine()
        let part = unattended(offer(settlement: .hold))
        _ = machine.offered(part, at: seconds(1))
        let stored = StoredSet(
            paymentHash: hash(1), state: .settled, setID: SetID(of: [part.htlc.circuitKey], by: StandInHash.self), terms: part.terms,
            htlcs: [.init(held: part.htlc, resolution: nil)])
        #expect(machine.found(hash(1), stored, at: seconds(2)).settled == [circuit(1, 0)])
    }
}
