/// The failures that an LND node makes itself (BOLT 4 codes).
enum FailureCode {
    static let temporaryChannelFailure: UInt16 = 0x1007
    static let expiryTooSoon: UInt16 = 0x100e
    static let expiryTooFar: UInt16 = 0x0015
    static let permanentChannelFailure: UInt16 = 0x4008
    static let unknownNextPeer: UInt16 = 0x400a
    static let invalidOnionVersion: UInt16 = 0xc004
    static let invalidOnionHMAC: UInt16 = 0xc005
    static let invalidOnionKey: UInt16 = 0xc006

    /// The BOLT 4 code of a number of LND's interface, for the few that an interceptor may give.
    static func answerable(_ number: Int) -> UInt16? {
        switch number {
        case 0, 15: temporaryChannelFailure
        case 8: invalidOnionVersion
        case 9: invalidOnionHMAC
        case 10: invalidOnionKey
        default: nil
        }
    }
}
