import Payments

/// Not cryptographic: the rules do not depend on which hash it is.
enum StandInHash: SHA256Digest {
    static func sha256(_ bytes: borrowing Span<UInt8>) -> Bytes32 {
        var result = Bytes32()
        var state: UInt64 = 0xcbf2_9ce4_8422_2325
        for index in bytes.indices {
            state = (state ^ UInt64(bytes[index])) &* 0x100_0000_01b3
            result[index % 32] ^= UInt8(truncatingIfNeeded: state >> 24)
        }
        for index in 0..<32 {
            state = (state ^ UInt64(index)) &* 0x100_0000_01b3
            result[index] ^= UInt8(truncatingIfNeeded: state >> 32)
        }
        return result
    }
}

typealias Machine = PaymentMachine<StandInHash>

func node(_ number: UInt8) -> PublicKey {
    var bytes = [UInt8](repeating: number, count: 33)
    bytes[0] = 2
    return PublicKey(bytes)!
}

func hash(_ number: UInt8) -> PaymentHash { PaymentHash(Bytes32(filledBy: { $0[0] = number })) }
func preimage(_ number: UInt8) -> Preimage { Preimage(Bytes32(filledBy: { $0[1] = number })) }
func circuit(_ nodeNumber: UInt8, _ htlcID: UInt64) -> CircuitKey { CircuitKey(node: node(nodeNumber), chanID: 7, htlcID: htlcID) }
func seconds(_ seconds: Int64) -> UnixTime { UnixTime(seconds: 1_000_000 + seconds) }

/// An offer that nothing is wrong with at height 1000 before second 3600.
func offer(
    _ number: UInt8 = 1, on nodeNumber: UInt8 = 1, htlcID: UInt64 = 0, amount: UInt64 = 1000, total: UInt64 = 1000,
    invoice: UInt64? = 1000, settlement: InvoiceTerms.Settlement = .auto, outgoingExpiry: UInt32 = 1083,
    incomingExpiry: UInt32 = 1163, autoFailHeight: Int32 = 1144, isOnChain: Bool = false
) -> Offer {
    Offer(
        paymentHash: hash(number),
        htlc: HeldHTLC(
            circuitKey: circuit(nodeNumber, htlcID), amount: Millisatoshis(amount), total: Millisatoshis(total),
            incomingExpiry: incomingExpiry, outgoingExpiry: outgoingExpiry, autoFailHeight: autoFailHeight, isOnChain: isOnChain),
        terms: InvoiceTerms(amount: invoice.map { Millisatoshis($0) }, expiresAt: seconds(3600), settlement: settlement, isStored: false),
        preimage: preimage(number))
}

func machine(policy: PaymentPolicy = .init(), height: UInt32 = 1000) -> Machine {
    var machine = Machine(policy: policy)
    _ = machine.heightReached(height, at: seconds(0))
    return machine
}

extension [Order] {
    var settled: [CircuitKey] { compactMap { if case .settle(let key, _) = $0 { key } else { nil } } }
    var failed: [CircuitKey] { compactMap { if case .fail(let key, _, _, _) = $0 { key } else { nil } } }
    var held: [CircuitKey] { compactMap { if case .hold(let key) = $0 { key } else { nil } } }
    var lookUps: [PaymentHash] { compactMap { if case .lookUp(let hash) = $0 { hash } else { nil } } }
    var changes: [(id: ChangeID, change: Change)] { compactMap { if case .persist(let id, let change) = $0 { (id, change) } else { nil } } }
    var withdrawn: [ChangeID] { compactMap { if case .withdraw(let id) = $0 { id } else { nil } } }
    var replies: [Reply] { compactMap { if case .reply(_, let reply) = $0 { reply } else { nil } } }
    var rejections: [Rejection] { compactMap { if case .fail(_, let rejection, _, _) = $0 { rejection } else { nil } } }
}
