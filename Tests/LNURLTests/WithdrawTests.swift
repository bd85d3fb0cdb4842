import Bolt
import Keys
import LNURL
import Payments
import Testing
import Wire

@Suite struct WithdrawTermsTests {
    static let own = IdentityKey(Bytes32(filledBy: { $0[31] = 1 }))!
    static let wallet = IdentityKey(Bytes32(filledBy: { $0[31] = 2 }))!
    static let now = UnixTime(seconds: 1_700_000_000)

    let terms = WithdrawTerms(
        minimum: Millisatoshis(1000), maximum: Millisatoshis(1_000_000), description: "Change",
        reserve: FeeReserve(least: Millisatoshis(1000), partsPerMillion: 10_000))

    static func invoice(
        _ amount: UInt64? = 500_000, network: Network = .regtest, expiry: UInt64 = 3600, delta: UInt64 = 40, hints: Int = 0, by key: IdentityKey = wallet
    ) -> String {
        let hint = [HopHint(node: key.publicKey, shortChannelID: 1, feeBase: 0, feePPM: 0, cltvDelta: 40)]
        let draft = Bolt11Draft(
            network: network, amount: amount.map { Millisatoshis($0) }, timestamp: now, paymentHash: PaymentHash(Bytes32(filledBy: { $0[0] = 5 })),
            paymentSecret: PaymentSecret(Bytes32()), description: .text("out"), expiry: expiry, minFinalCLTVExpiry: delta,
            routeHints: Array(repeating: hint, count: hints))
        return (try? draft.encode(by: LibCrypto.self) { key.sign(digest: $0) }) ?? ""
    }

    private func refusal(_ text: String, _ terms: WithdrawTerms? = nil, at time: UnixTime = now) -> WithdrawRefusal? {
        do throws(WithdrawRefusal) {
            _ = try (terms ?? self.terms).judge(
                paymentRequest: text, network: .regtest, own: Self.own.publicKey, at: time, by: LibCrypto.self)
            return nil
        } catch {
            return error
        }
    }

    @Test("an invoice in order is claimed with what it may cost, in either case and with the scheme of links", arguments: [false, true])
    func claimed(isUpper: Bool) throws {
        let text = Self.invoice()
        let given = isUpper ? "LIGHTNING:" + text.uppercased() : text
        let claim = try terms.judge(paymentRequest: given, network: .regtest, own: Self.own.publicKey, at: Self.now, by: LibCrypto.self)
        #expect(claim.paymentRequest == text && claim.amount == Millisatoshis(500_000) && claim.feeLimit == Millisatoshis(5000))
        #expect(claim.reserved == Millisatoshis(505_000))
    }

    @Test("what is not in order is refused before anything is claimed", arguments: [
        ("lnbcrt1", .unreadable), ("", .unreadable), (invoice(network: .mainnet), .otherNetwork), (invoice(network: .testnet), .otherNetwork),
        (invoice(nil), .noAmount), (invoice(999), .outside(minimum: 1000, maximum: 1_000_000)),
        (invoice(1_000_001), .outside(minimum: 1000, maximum: 1_000_000)), (invoice(expiry: 9), .expired),
        (invoice(by: own), .ownInvoice), (invoice(delta: 1009), .finalDelta), (invoice(hints: 21), .routeHints),
    ] as [(String, WithdrawRefusal)])
    func refused(text: String, expected: WithdrawRefusal) { #expect(refusal(text) == expected) }

    @Test("an invoice is good until ten seconds before its end")
    func expiry() {
        #expect(refusal(Self.invoice(), at: UnixTime(seconds: 1_700_003_590)) == nil)
        #expect(refusal(Self.invoice(), at: UnixTime(seconds: 1_700_003_591)) == .expired)
    }

    @Test("the fee is set aside with the amount, and what costs more than it brings is refused")
    func fees() throws {
        var terms = terms
        terms.balance = Millisatoshis(505_000)
        #expect(refusal(Self.invoice(), terms) == nil)
        terms.balance = Millisatoshis(504_999)
        #expect(refusal(Self.invoice(), terms) == .balance)
        terms.reserve.least = Millisatoshis(2000)
        #expect(refusal(Self.invoice(1500), terms) == .tooSmall)
        #expect(FeeReserve(least: .zero, partsPerMillion: 1_000_000).limit(for: .supply) == .supply)
        #expect(FeeReserve(least: .zero, partsPerMillion: .max).limit(for: .supply) == .supply)
    }

    @Test("what is offered can be taken with its fee, in whole satoshis")
    func offered() throws {
        var terms = terms
        terms.balance = Millisatoshis(300_500)
        let read = try JSONReader.read(terms.document(callback: "https://a.example/c", challenge: Bytes32(), payLink: "lnurlp://a.example/p", balanceCheck: "https://a.example/w"))
        #expect(read.members?.map(\.0) == [
            "tag", "callback", "k1", "defaultDescription", "minWithdrawable", "maxWithdrawable", "balanceCheck", "currentBalance", "payLink",
        ])
        let most = try #require(read["maxWithdrawable"]?.whole)
        #expect(most == 297_000 && read["currentBalance"]?.whole == 300_500)
        #expect(refusal(Self.invoice(most), terms) == nil)
        #expect(try JSONReader.read(self.terms.document(callback: "c", challenge: Bytes32()))["maxWithdrawable"]?.whole == 1_000_000)
    }
}

@Suite struct WithdrawMachineTests {
    typealias Caller = WithdrawMachine.CallerID

    static func claim(_ number: UInt8) -> WithdrawClaim {
        WithdrawClaim(
            paymentRequest: "lnbc\(number)", paymentHash: PaymentHash(Bytes32(filledBy: { $0[0] = number })), amount: Millisatoshis(1000),
            feeLimit: Millisatoshis(10))
    }
    static let first = claim(1), second = claim(2)

    @Test("the claim is durable before it is paid and before anybody is told")
    func claimFirst() {
        var machine = WithdrawMachine()
        #expect(machine.asked(Self.first, by: Caller(1)) == [.claim(Self.first)])
        #expect(machine.claimAnswered(isTaken: true) == [.accept(Caller(1)), .pay(Self.first)])
    }

    @Test("of a hundred callbacks at once one is claimed and paid once; those with the same invoice are told the same")
    func race() {
        var machine = WithdrawMachine()
        var orders = machine.asked(Self.first, by: Caller(0))
        for number in 1..<100 { orders += machine.asked(number % 2 == 0 ? Self.first : Self.second, by: Caller(UInt64(number))) }
        orders += machine.claimAnswered(isTaken: true)
        #expect(orders.filter { $0 == .claim(Self.first) }.count == 1 && orders.filter { $0 == .pay(Self.first) }.count == 1)
        #expect(!orders.contains(.claim(Self.second)) && !orders.contains(.pay(Self.second)))
        for number in 0..<100 {
            let expected: WithdrawMachine.Order = number % 2 == 0 ? .accept(Caller(UInt64(number))) : .refuse(Caller(UInt64(number)), .alreadyUsed)
            #expect(orders.filter { $0 == expected }.count == 1)
        }
    }

    @Test("the same invoice again is answered again and not paid again, whatever has become of it")
    func again() {
        for finding in [.inFlight, .unknown, .settled(fee: Millisatoshis(1))] as [WithdrawMachine.Finding] {
            var machine = claimed()
            _ = machine.found(finding)
            #expect(machine.asked(Self.first, by: Caller(2)) == [.accept(Caller(2))])
            #expect(machine.asked(Self.second, by: Caller(3)) == [.refuse(Caller(3), .alreadyUsed)])
        }
    }

    @Test("unknown is not failed: it is asked about until it is known, and frees nothing")
    func unknown() {
        var machine = claimed()
        #expect(machine.found(.unknown) == [])
        #expect(machine.state == .unknown(Self.first))
        #expect(machine.waited() == [.inquire(Self.first.paymentHash)])
        #expect(machine.found(.unknown) == [] && machine.found(.inFlight) == [])
        #expect(machine.found(.settled(fee: Millisatoshis(3))) == [.conclude(Self.first, fee: Millisatoshis(3))])
        #expect(machine.found(.failed) == [], "what is settled stays so")
    }

    @Test("what is on its way to a node is not sent again because the node has not heard of it")
    func underWay() {
        var machine = claimed()
        #expect(machine.waited() == [] && machine.found(.unheard) == [] && machine.found(.inFlight) == [])
        #expect(machine.found(.settled(fee: .zero)) == [.conclude(Self.first, fee: .zero)])
    }

    @Test("only a definite failure frees it, once that is durable")
    func failed() {
        var machine = claimed()
        #expect(machine.found(.failed) == [.release(Self.first)])
        #expect(machine.asked(Self.second, by: Caller(2)) == [.refuse(Caller(2), .unavailable)])
        #expect(machine.waited() == [.release(Self.first)])
        machine.released()
        #expect(machine.asked(Self.second, by: Caller(3)) == [.claim(Self.second)])
    }

    @Test("after a restart what was claimed is asked about, and paid again only if no node has heard of it")
    func restart() {
        for state in [.claimed(Self.first), .unknown(Self.first)] as [WithdrawMachine.State] {
            var machine = WithdrawMachine()
            #expect(machine.restored(state) == [.inquire(Self.first.paymentHash)])
            #expect(machine.found(.unheard) == [.pay(Self.first)])
        }
        var settled = WithdrawMachine()
        #expect(settled.restored(.settled(Self.first, fee: .zero)) == [])
        #expect(settled.asked(Self.first, by: Caller(1)) == [.accept(Caller(1))])
    }

    @Test("a claim whose answer was lost is read, and its wallet is told what the store holds")
    func lostAnswer() {
        for (stored, orders) in [
            (.offered, [.refuse(Caller(1), .unavailable)]),
            (.claimed(Self.first), [.accept(Caller(1)), .inquire(Self.first.paymentHash)]),
            (.claimed(Self.second), [.refuse(Caller(1), .alreadyUsed), .inquire(Self.second.paymentHash)]),
            (.settled(Self.second, fee: .zero), [.refuse(Caller(1), .alreadyUsed)]),
        ] as [(WithdrawMachine.State, [WithdrawMachine.Order])] {
            var machine = WithdrawMachine()
            _ = machine.asked(Self.first, by: Caller(1))
            #expect(machine.claimAnswered(isTaken: nil) == [.read])
            #expect(machine.restored(stored) == orders)
        }
    }

    @Test("an invoice that another payment has used is refused, and the use stays free")
    func usedElsewhere() {
        var machine = WithdrawMachine()
        _ = machine.asked(Self.first, by: Caller(1))
        #expect(machine.claimRefused() == [.refuse(Caller(1), .invoice(.alreadyPaid))])
        #expect(machine.asked(Self.second, by: Caller(2)) == [.claim(Self.second)])
    }

    @Test("its owner can take it back only while nobody has claimed it")
    func takenBack() {
        var free = WithdrawMachine()
        var taken = claimed()
        #expect(free.takenBack() && !taken.takenBack())
        #expect(free.asked(Self.first, by: Caller(1)) == [.refuse(Caller(1), .disabled)])
    }

    private func claimed() -> WithdrawMachine {
        var machine = WithdrawMachine()
        _ = machine.asked(Self.first, by: Caller(1))
        _ = machine.claimAnswered(isTaken: true)
        return machine
    }
}
