internal import FoundationEssentials
internal import GRPC
internal import LNDProto
internal import Lightning
internal import Payments
internal import SwiftProtobuf

// LND's payment messages to and from our values. Whatever the bytes are, reading them gives a value or `nil`.

func LNDBytes(_ bytes: Bytes32) -> Data { Data(bytes.array) }
func LNDBytes(_ bytes: [UInt8]) -> Data { Data(bytes) }

extension Routerrpc_SendPaymentRequest {
    init(_ order: PaymentOrder) {
        self.init()
        feeLimitMsat = Int64(clamping: order.feeLimit.value)
        timeoutSeconds = Int32(clamping: order.timeoutSeconds)
        destCustomRecords = order.customRecords.mapValues { Data($0) }
        switch order.target {
        case .invoice(let text, let amount):
            paymentRequest = text
            if let amount { amtMsat = Int64(clamping: amount.value) }
        case .key(let key, let amount, let preimage):
            dest = Data(key.array)
            amtMsat = Int64(clamping: amount.value)
            paymentHash = Data(order.paymentHash.bytes.array)
            finalCltvDelta = 80
            destCustomRecords[Self.keysendRecord] = Data(preimage.bytes.array)
        }
    }

    private static let keysendRecord: UInt64 = 5_482_373_484
}

extension PayoutAnswer {
    /// `nil` for what says nothing, and for a success without its proof.
    init?(_ bytes: [UInt8], of hash: PaymentHash, by digest: any SHA256Digest.Type) {
        guard let payment = try? Lnrpc_Payment(serializedBytes: bytes), payment.paymentHash.isEmpty || payment.paymentHash == hash.bytes.hex,
            let answer = Self(payment, of: hash, by: digest)
        else { return nil }
        self = answer
    }

    init?(_ payment: Lnrpc_Payment, of hash: PaymentHash, by digest: any SHA256Digest.Type) {
        switch payment.status {
        case .inFlight, .initiated: self = .inFlight
        case .succeeded:
            guard let preimage = Bytes32(hex: payment.paymentPreimage), digest.sha256(preimage.storage.span) == hash.bytes else { return nil }
            self = .settled(Preimage(preimage), fee: min(Millisatoshis(UInt64(clamping: payment.feeMsat)), .supply))
        case .failed: self = .failed(PayoutFailure(payment.failureReason))
        case .unknown, .UNRECOGNIZED: return nil
        }
    }
}

extension PayoutFailure {
    init(_ reason: Lnrpc_PaymentFailureReason) {
        self = switch reason {
        case .failureReasonTimeout: .timedOut
        case .failureReasonNoRoute: .noRoute
        case .failureReasonIncorrectPaymentDetails: .incorrectDetails
        case .failureReasonInsufficientBalance: .insufficientBalance
        case .failureReasonCanceled: .canceled
        case .failureReasonNone, .failureReasonError, .UNRECOGNIZED: .nodeError
        }
    }
}

extension PayoutEnd {
    /// Definite is only what LND says before it begins; of everything else the node has to be asked.
    init(sending status: GRPCStatus) {
        let text = status.message
        switch status.code {
        case .alreadyExists: self = .exists
        case .unknown where ["payment already exists", "payment is in transition", "invoice is already paid"].contains { text.contains($0) }: self = .exists
        case .unknown where text.hasPrefix("invoice expired"): self = .notBegun(.invoiceExpired)
        case .unknown where NodeFailure.starting(text) != nil || NodeFailure.macaroonProblem(status) != nil: self = .notBegun(.notStarted)
        case .unimplemented where text.hasPrefix("unknown "): self = .notBegun(.notStarted)
        default: self = .lost
        }
    }

    /// A node says that it does not know a payment in words of its own; the same code from anything in between is none.
    init(following status: GRPCStatus) {
        self = status.code == .notFound && status.message.contains("payment isn't initiated") ? .notFound : .lost
    }
}

extension SentPayment {
    init?(_ payment: Lnrpc_Payment, by digest: any SHA256Digest.Type) {
        guard let hash = PaymentHash(hex: payment.paymentHash), let answer = PayoutAnswer(payment, of: hash, by: digest) else { return nil }
        self.init(
            number: payment.paymentIndex, paymentHash: hash, amount: Millisatoshis(UInt64(clamping: payment.valueMsat)), answer: answer,
            createdAt: UnixTime(milliseconds: payment.creationTimeNs / 1_000_000))
    }
}
