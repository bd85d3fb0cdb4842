/// The chains that invoices are made for, by their names in the configuration.
public enum Network: String, Equatable, Sendable, CaseIterable {
    case mainnet, testnet, signet, regtest, simnet

    /// What follows `ln` in an invoice (BOLT 11; simnet's is unofficial).
    public var invoicePrefix: String {
        switch self {
        case .mainnet: "bc"
        case .testnet: "tb"
        case .signet: "tbs"
        case .regtest: "bcrt"
        case .simnet: "sb"
        }
    }

    /// Longest prefix first, because `tb` begins `tbs` and `bc` begins `bcrt`.
    static let byPrefixLength: [Network] = [.regtest, .signet, .mainnet, .testnet, .simnet]
}
