internal import Edge

/// What is asked for below `/v1/lnurl`: pay links and address requests by their id, Lightning Addresses by their name.
enum PayLinkRoute: Equatable {
    case create(isAddress: Bool)
    case list(areAddresses: Bool)
    case show(String, isAddress: Bool)
    case change(String, isAddress: Bool)
    case delete(String, isAddress: Bool)
    case createAddressRequest
    case showAddressRequest(String)

    init?(_ method: HTTPRequest.Method, _ segments: some Collection<String>) {
        let segments = Array(segments)
        guard let kind = segments.first else { return nil }
        if kind == "address-requests" {
            switch (method, segments.count) {
            case (.post, 1): self = .createAddressRequest
            case (.get, 2): self = .showAddressRequest(segments[1])
            default: return nil
            }
            return
        }
        guard kind == "pay-links" || kind == "addresses" else { return nil }
        let isAddress = kind == "addresses"
        switch (method, segments.count) {
        case (.post, 1): self = .create(isAddress: isAddress)
        case (.get, 1): self = .list(areAddresses: isAddress)
        case (.get, 2): self = .show(segments[1], isAddress: isAddress)
        case (.patch, 2): self = .change(segments[1], isAddress: isAddress)
        case (.delete, 2): self = .delete(segments[1], isAddress: isAddress)
        default: return nil
        }
    }

    var isReading: Bool {
        switch self {
        case .list, .show, .showAddressRequest: true
        case .create, .change, .delete, .createAddressRequest: false
        }
    }
}
