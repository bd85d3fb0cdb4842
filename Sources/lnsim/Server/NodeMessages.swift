internal import Foundation
import LNDProto
import Payments
import SwiftProtobuf

/// The node's values as LND's protobuf messages and back.
enum NodeMessages {
    /// The offer of an HTLC, which carries the onion; encoded once, when the HTLC is made.
    static func offer(
        _ circuit: Circuit, paymentHash: PaymentHash, incoming: (amount: Millisatoshis, expiry: UInt32),
        outgoing: (amount: Millisatoshis, expiry: UInt32), requestedChanID: UInt64, onion: [UInt8]
    ) -> [UInt8] {
        let message = Routerrpc_ForwardHtlcInterceptRequest.with {
            $0.incomingCircuitKey = .with {
                $0.chanID = circuit.chanID
                $0.htlcID = circuit.htlcID
            }
            $0.paymentHash = Data(paymentHash.bytes.array)
            $0.incomingAmountMsat = incoming.amount.value
            $0.incomingExpiry = incoming.expiry
            $0.outgoingAmountMsat = outgoing.amount.value
            $0.outgoingExpiry = outgoing.expiry
            $0.outgoingRequestedChanID = requestedChanID
            $0.onionBlob = Data(onion)
            $0.autoFailHeight = Int32(clamping: Int64(incoming.expiry) - Int64(NodeSettings.rejectDelta))
            // Payers of release 0.21.2 send this record; clients have to ignore it.
            $0.inWireCustomRecords = [106_823: Data([0])]
        }
        return bytes(message)
    }

    /// The offer as it was encoded, or with another deadline once the HTLC is on chain.
    static func offer(_ htlc: SimulatedHTLC, autoFailHeight: Int32) -> [UInt8] {
        guard Int64(autoFailHeight) >= Int64(htlc.incomingExpiry),
            var message = try? Routerrpc_ForwardHtlcInterceptRequest(serializedBytes: htlc.message)
        else { return htlc.message }
        message.autoFailHeight = autoFailHeight
        return bytes(message)
    }

    /// `nil` if the bytes are no message of the kind.
    static func answer(_ bytes: [UInt8]) -> InterceptorAnswer? {
        guard let message = try? Routerrpc_ForwardHtlcInterceptResponse(serializedBytes: bytes) else { return nil }
        var answer = InterceptorAnswer()
        if message.hasIncomingCircuitKey {
            let key = message.incomingCircuitKey
            answer.circuit = Circuit(chanID: key.chanID, htlcID: key.htlcID)
        }
        answer.action = message.action.rawValue
        answer.preimage = [UInt8](message.preimage)
        answer.failureMessage = [UInt8](message.failureMessage)
        if message.failureCode.rawValue != 0 {
            answer.failureCode = message.failureCode.rawValue
            answer.failureCodeName = "\(message.failureCode)".uppercased()
        }
        answer.recordTypes = Array(message.outWireCustomRecords.keys)
        return answer
    }

    static func event(_ event: NodeEvent, nanoseconds: UInt64) -> [UInt8] {
        var message = Routerrpc_HtlcEvent()
        message.timestampNs = nanoseconds
        message.eventType = .forward
        switch event {
        case .forwarded(let htlc):
            message.forwardEvent = .with { $0.info = info(htlc) }
            message.outgoingChannelID = htlc.requestedChanID
            name(htlc.circuit, in: &message)
        case .forwardFailed(let circuit):
            message.forwardFailEvent = .init()
            name(circuit, in: &message)
        case .settled(let circuit, let preimage):
            message.settleEvent = .with { $0.preimage = Data(preimage.bytes.array) }
            name(circuit, in: &message)
        case .linkFailed(let htlc, let code):
            message.linkFailEvent = .with {
                $0.info = info(htlc)
                $0.wireFailure = wireFailure(code)
                $0.failureString = FailureNames.name(of: code)
            }
            message.outgoingChannelID = htlc.requestedChanID
            name(htlc.circuit, in: &message)
        case .final(let circuit, let final):
            message.eventType = .unknown
            message.finalHtlcEvent = .with {
                $0.settled = final.isSettled
                $0.offchain = final.isOffChain
            }
            name(circuit, in: &message)
        }
        return bytes(message)
    }

    static func subscribed(nanoseconds: UInt64) -> [UInt8] {
        bytes(Routerrpc_HtlcEvent.with {
            $0.timestampNs = nanoseconds
            $0.subscribedEvent = .init()
        })
    }

    static func block(_ block: SimulatedChain.Block) -> [UInt8] {
        bytes(Chainrpc_BlockEpoch.with {
            $0.hash = Data(block.hash)
            $0.height = block.height
        })
    }

    static func state(_ number: Int) -> [UInt8] {
        bytes(Lnrpc_SubscribeStateResponse.with { $0.state = Lnrpc_WalletState(rawValue: number) ?? .nonExisting })
    }

    static func resolution(_ final: FinalResolution) -> [UInt8] {
        bytes(Lnrpc_LookupHtlcResolutionResponse.with {
            $0.settled = final.isSettled
            $0.offchain = final.isOffChain
        })
    }

    static func circuit(inLookup bytes: [UInt8]) -> Circuit? {
        guard let request = try? Lnrpc_LookupHtlcResolutionRequest(serializedBytes: bytes) else { return nil }
        return Circuit(chanID: request.chanID, htlcID: request.htlcIndex)
    }

    /// The height that a client says it knows the chain up to; zero if it knows nothing.
    static func knownHeight(inBlockEpoch bytes: [UInt8]) -> UInt32? {
        (try? Chainrpc_BlockEpoch(serializedBytes: bytes))?.height
    }

    static func info(_ settings: NodeSettings, node: PublicKey, tip: SimulatedChain.Block, channels: Int) -> [UInt8] {
        bytes(Lnrpc_GetInfoResponse.with {
            $0.identityPubkey = node.hex
            $0.alias = "lnsim-" + node.hex.prefix(8)
            $0.version = settings.version
            $0.commitHash = String(repeating: "0", count: 40)
            $0.numPeers = UInt32(channels)
            $0.numActiveChannels = UInt32(channels)
            $0.blockHeight = tip.height
            $0.blockHash = Hex.encode(tip.hash.reversed())
            $0.syncedToChain = settings.isSyncedToChain
            $0.syncedToGraph = true
            $0.chains = [.with { $0.chain = "bitcoin"; $0.network = settings.network }]
            $0.requireHtlcInterceptor = settings.requiresInterceptor
            $0.storeFinalHtlcResolutions = settings.storesFinalResolutions
        })
    }

    static func version(_ settings: NodeSettings) -> [UInt8] {
        let version = ReleaseNumber(settings.version)
        return bytes(Verrpc_Version.with {
            $0.commit = "v" + version.text
            $0.commitHash = String(repeating: "0", count: 40)
            $0.version = settings.version
            $0.appMajor = version.major
            $0.appMinor = version.minor
            $0.appPatch = version.patch
            $0.appPreRelease = version.preRelease
            $0.buildTags = settings.buildTags
            $0.goVersion = "go1.25.5"
        })
    }

    private static func bytes(_ message: some Message) -> [UInt8] { (try? message.serializedBytes()) ?? [] }

    private static func name(_ circuit: Circuit, in message: inout Routerrpc_HtlcEvent) {
        message.incomingChannelID = circuit.chanID
        message.incomingHtlcID = circuit.htlcID
    }

    private static func info(_ htlc: SimulatedHTLC) -> Routerrpc_HtlcInfo {
        .with {
            $0.incomingTimelock = htlc.incomingExpiry
            $0.outgoingTimelock = htlc.outgoingExpiry
            $0.incomingAmtMsat = htlc.incomingAmount.value
            $0.outgoingAmtMsat = htlc.outgoingAmount.value
        }
    }

    private static func wireFailure(_ code: UInt16) -> Lnrpc_Failure.FailureCode {
        switch code {
        case FailureCode.expiryTooSoon: .expiryTooSoon
        case FailureCode.expiryTooFar: .expiryTooFar
        default: .temporaryChannelFailure
        }
    }
}
