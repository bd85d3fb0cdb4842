internal import FoundationEssentials
internal import LNDProto
internal import Payments
internal import SwiftProtobuf

// LND's messages to and from our values. Whatever the bytes are, reading them gives a value or `nil`.

extension WireOffer {
    /// `nil` if the bytes are no message or name no circuit: nothing could be answered to that.
    init?(_ bytes: [UInt8]) {
        guard let request = try? Routerrpc_ForwardHtlcInterceptRequest(serializedBytes: bytes),
            request.hasIncomingCircuitKey
        else { return nil }
        circuit = InterceptorSession.Circuit(chanID: request.incomingCircuitKey.chanID, htlcID: request.incomingCircuitKey.htlcID)
        requestedChannelID = request.outgoingRequestedChanID
        paymentHash = [UInt8](request.paymentHash)
        incomingAmount = request.incomingAmountMsat
        incomingExpiry = request.incomingExpiry
        outgoingAmount = request.outgoingAmountMsat
        outgoingExpiry = request.outgoingExpiry
        onion = [UInt8](request.onionBlob)
        autoFailHeight = request.autoFailHeight
    }
}

extension InterceptorSession.Reply {
    /// The action is set in each case: the wire's default would settle.
    var message: Routerrpc_ForwardHtlcInterceptResponse {
        var response = Routerrpc_ForwardHtlcInterceptResponse()
        response.incomingCircuitKey.chanID = circuit.chanID
        response.incomingCircuitKey.htlcID = circuit.htlcID
        switch action {
        case .settle(let preimage):
            response.action = .settle
            response.preimage = Data(preimage.bytes.array)
        case .fail(let message):
            response.action = .fail
            response.failureMessage = Data(message)
        case .failTemporarily:
            response.action = .fail
            response.failureCode = .temporaryChannelFailure
        case .failBadOnion(let reason):
            response.action = .fail
            response.failureCode =
                switch reason {
                case .version: .invalidOnionVersion
                case .hmac: .invalidOnionHmac
                case .key: .invalidOnionKey
                }
        case .resume:
            response.action = .resume
        }
        return response
    }

    /// `nil` never happens with messages that have no required fields and stay below two gigabytes.
    var bytes: [UInt8]? { try? message.serializedBytes() }
}

/// What SubscribeHtlcEvents tells that matters here.
enum HTLCNotice: Equatable {
    case subscribed
    case final(InterceptorSession.Circuit, Resolution)
    /// Progress of other forwards and payments.
    case other

    init?(_ bytes: [UInt8]) {
        guard let event = try? Routerrpc_HtlcEvent(serializedBytes: bytes) else { return nil }
        switch event.event {
        case .subscribedEvent:
            self = .subscribed
        case .finalHtlcEvent(let final):
            self = .final(
                InterceptorSession.Circuit(chanID: event.incomingChannelID, htlcID: event.incomingHtlcID),
                Resolution(isSettled: final.settled, isOffChain: final.offchain))
        default:
            self = .other
        }
    }
}

extension Resolution {
    /// The answer of LookupHtlcResolution; no bytes at all are a time-out on chain.
    init?(lookup bytes: [UInt8]) {
        guard let response = try? Lnrpc_LookupHtlcResolutionResponse(serializedBytes: bytes) else { return nil }
        self.init(isSettled: response.settled, isOffChain: response.offchain)
    }
}

extension InterceptorSession.Circuit {
    var lookupRequest: [UInt8]? {
        var request = Lnrpc_LookupHtlcResolutionRequest()
        request.chanID = chanID
        request.htlcIndex = htlcID
        return try? request.serializedBytes()
    }
}

/// How far the node has come since it was started.
enum WalletState: Equatable {
    case ready
    case waiting(String)

    init?(_ bytes: [UInt8]) {
        guard let response = try? Lnrpc_SubscribeStateResponse(serializedBytes: bytes) else { return nil }
        switch response.state {
        case .serverActive: self = .ready
        case .rpcActive, .unlocked: self = .waiting("lnd is starting")
        case .locked: self = .waiting("lnd's wallet is locked")
        case .nonExisting: self = .waiting("lnd has no wallet yet")
        case .waitingToStart: self = .waiting("lnd waits to start")
        case .UNRECOGNIZED(let state): self = .waiting("lnd is in state \(state)")
        }
    }
}

/// The height of a BlockEpoch.
enum BlockEpoch {
    static func height(_ bytes: [UInt8]) -> UInt32? {
        try? Chainrpc_BlockEpoch(serializedBytes: bytes).height
    }
}

extension NodeValidation.Facts {
    init?(info: [UInt8], version: [UInt8]) {
        guard let info = try? Lnrpc_GetInfoResponse(serializedBytes: info),
            let version = try? Verrpc_Version(serializedBytes: version)
        else { return nil }
        identityPubkey = info.identityPubkey
        alias = info.alias
        networks = info.chains.filter { $0.chain.isEmpty || $0.chain == "bitcoin" }.map(\.network)
        blockHeight = info.blockHeight
        isSyncedToChain = info.syncedToChain
        requiresInterceptor = info.requireHtlcInterceptor
        storesResolutions = info.storeFinalHtlcResolutions
        buildTags = version.buildTags
        if version.appMajor != 0 || version.appMinor != 0 || version.appPatch != 0 {
            self.version = LNDVersion(version.appMajor, version.appMinor, version.appPatch, preRelease: version.appPreRelease)
        } else {
            self.version = LNDVersion(version.version) ?? LNDVersion(info.version)
        }
    }
}
