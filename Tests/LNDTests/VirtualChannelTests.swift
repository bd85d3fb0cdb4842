import Payments
import Testing

@testable import LND

@Suite("The virtual channel")
struct VirtualChannelTests {
    @Test("is named by the last eight bytes of the node's key with the top bit set")
    func id() {
        #expect(VirtualChannel.id(of: Samples.node) == 0x991a_1b1c_1d1e_1f20)
        let key = PublicKey([3] + [UInt8](repeating: 0, count: 32))!
        #expect(VirtualChannel.id(of: key) == 1 << 63)
    }
}
