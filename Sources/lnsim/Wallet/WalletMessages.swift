internal import Foundation
import Keys
import LNDProto
import Payments
import SwiftProtobuf

/// Payments, channels and invoices of a simulated node as LND's messages.
enum WalletMessages {
    static func bytes(_ message: some Message) -> [UInt8] { (try? message.serializedBytes()) ?? [] }

    static func payment(_ payment: OutgoingPayment) -> Lnrpc_Payment {
        .with {
            $0.paymentHash = payment.paymentHash.bytes.hex
            $0.paymentRequest = payment.request
            $0.valueMsat = Int64(payment.amount.value)
            $0.creationTimeNs = payment.createdAt.milliseconds * 1_000_000
            $0.paymentIndex = payment.number
            switch payment.state {
            case .inFlight: $0.status = .inFlight
            case .succeeded(let preimage):
                $0.status = .succeeded
                $0.paymentPreimage = preimage.bytes.hex
                $0.feeMsat = Int64(payment.fee.value)
            case .failed(let reason):
                $0.status = .failed
                $0.failureReason = Lnrpc_PaymentFailureReason(rawValue: reason) ?? .failureReasonError
            }
        }
    }

    static func channel(_ chanID: UInt64, peer: PublicKey, local: Millisatoshis, remote: Millisatoshis, isActive: Bool) -> Lnrpc_Channel {
        .with {
            $0.active = isActive
            $0.remotePubkey = peer.hex
            $0.channelPoint = String(repeating: "0", count: 64) + ":\(chanID & 0xffff)"
            $0.chanID = chanID
            $0.localBalance = Int64(local.value / 1000)
            $0.remoteBalance = Int64(remote.value / 1000)
            $0.capacity = Int64((local + remote).value / 1000)
            $0.lifetime = 86_400
            $0.uptime = 86_000
            $0.peerAlias = "peer-" + peer.hex.prefix(8)
        }
    }

    static func edge(_ chanID: UInt64, node: PublicKey, peer: PublicKey) -> Lnrpc_ChannelEdge {
        let policy: (Int64) -> Lnrpc_RoutingPolicy = { fee in
            .with {
                $0.timeLockDelta = 80
                $0.minHtlc = 1000
                $0.feeBaseMsat = 1000
                $0.feeRateMilliMsat = fee
                $0.maxHtlcMsat = 10_000_000_000
                $0.lastUpdate = 1_700_000_000
            }
        }
        let isFirst = node < peer
        return .with {
            $0.channelID = chanID
            $0.node1Pub = (isFirst ? node : peer).hex
            $0.node2Pub = (isFirst ? peer : node).hex
            $0.capacity = 20_000_000
            $0.node1Policy = policy(isFirst ? 1 : 2)
            $0.node2Policy = policy(isFirst ? 2 : 1)
        }
    }

    static func invoice(_ invoice: WalletInvoice) -> Lnrpc_Invoice {
        .with {
            $0.memo = invoice.memo
            $0.rHash = Data(invoice.paymentHash.bytes.array)
            $0.paymentRequest = invoice.request
            $0.valueMsat = Int64(invoice.amount?.value ?? 0)
            $0.creationDate = invoice.createdAt.seconds
            $0.expiry = invoice.expirySeconds
            $0.addIndex = invoice.number
            switch invoice.state {
            case .open: $0.state = .open
            case .canceled: $0.state = .canceled
            case .accepted: $0.state = .accepted
            case .settled:
                $0.state = .settled
                $0.amtPaidMsat = Int64(invoice.amount?.value ?? 0)
                $0.settleDate = invoice.createdAt.seconds
            }
        }
    }
}

/// An invoice of a simulated node itself.
struct WalletInvoice: Equatable, Sendable {
    enum State: Equatable, Sendable { case open, accepted, settled, canceled }

    var number: UInt64
    var paymentHash: PaymentHash
    var request: String
    var memo: String
    var amount: Millisatoshis?
    var expirySeconds: Int64
    var createdAt: UnixTime
    /// Somebody else knows the preimage.
    var isHeld: Bool
    var state = State.open
}
