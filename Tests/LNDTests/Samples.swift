import COpenSSL
import Payments

@testable import LND

/// SHA-256 by the library, as the gateway would supply it.
enum SampleHash: SHA256Digest {
    static func sha256(_ bytes: borrowing Span<UInt8>) -> Bytes32 {
        var input: [UInt8] = []
        for index in bytes.indices { input.append(bytes[index]) }
        var output = [UInt8](repeating: 0, count: 32)
        _ = unsafe SHA256(input, input.count, &output)
        return Bytes32(output) ?? Bytes32()
    }
}

enum Samples {
    static let node = PublicKey([2] + (1...32).map { UInt8($0) })!
    static let preimage = Preimage(Bytes32([UInt8](repeating: 7, count: 32))!)
    static let paymentHash = PaymentHash(preimage.bytes.withSpan { SampleHash.sha256($0) })

    static func key(_ htlcID: UInt64, chanID: UInt64 = 1, node: PublicKey = node) -> CircuitKey {
        CircuitKey(node: node, chanID: chanID, htlcID: htlcID)
    }

    /// Ours and off chain unless told otherwise.
    static func offer(
        _ htlcID: UInt64 = 0, channel: UInt64 = VirtualChannel.id(of: node), paymentHash: [UInt8] = paymentHash.bytes.array,
        incomingExpiry: UInt32 = 800, autoFailHeight: Int32 = 781
    ) -> WireOffer {
        WireOffer(
            circuit: .init(chanID: 1, htlcID: htlcID), requestedChannelID: channel, paymentHash: paymentHash,
            incomingAmount: 1_000, incomingExpiry: incomingExpiry, outgoingAmount: 1_000, outgoingExpiry: 720,
            onion: [UInt8](repeating: 0, count: 1366), autoFailHeight: autoFailHeight)
    }

    static var facts: NodeValidation.Facts {
        NodeValidation.Facts(
            identityPubkey: node.hex, alias: "alice", networks: ["regtest"], blockHeight: 700, isSyncedToChain: true,
            requiresInterceptor: true, storesResolutions: true, version: LNDVersion(0, 21, 2),
            buildTags: ["chainrpc", "invoicesrpc"])
    }
}
