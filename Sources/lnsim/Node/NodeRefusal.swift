/// A status that LND ends a call with: a gRPC code and LND's own words.
struct NodeRefusal: Error, Equatable, Hashable, Sendable {
    /// The numbers of gRPC; most of LND's errors are plain UNKNOWN.
    enum Code: Int, Sendable {
        case unknown = 2
        case invalidArgument = 3
        case notFound = 5
        case alreadyExists = 6
        case unimplemented = 12
        case unavailable = 14
    }

    var code: Code
    var text: String

    static let interceptorExists = Self(code: .unknown, text: "interceptor already exists")
    static let halfClosed = Self(code: .unknown, text: "EOF")
    static let htlcUnknown = Self(code: .notFound, text: "htlc unknown")
    static let resolutionsNotStored = Self(
        code: .unavailable, text: "cannot lookup with flag --store-final-htlc-resolutions=false")

    static let unreadable = Self(code: .unknown, text: "failed to unmarshal the received message")
    static let macaroonNotHex = Self(code: .unknown, text: "encoding/hex: invalid byte")
    static let macaroonSignature = Self(
        code: .unknown, text: "verification failed: signature mismatch after caveat verification")
    static func macaroonCount(_ count: Int) -> Self { Self(code: .unknown, text: "expected 1 macaroon, got \(count)") }
    static func unknownService(_ name: String) -> Self { Self(code: .unimplemented, text: "unknown service \(name)") }

    static let keyMissing = Self(
        code: .invalidArgument, text: "CircuitKey missing from ForwardHtlcInterceptResponse")
    static let failuresExclude = Self(
        code: .invalidArgument, text: "failure message and failure code are mutually exclusive")
    static let failureLength = Self(code: .invalidArgument, text: "failure message length invalid")
    static let preimageMissing = Self(code: .unknown, text: "missing preimage")
    static let preimageMismatch = Self(code: .unknown, text: "preimage does not match hash")
    static let resumeOnChain = Self(code: .unknown, text: "cannot resume held htlc in the on-chain flow")
    static let failOnChain = Self(code: .unknown, text: "cannot fail held htlc in the on-chain flow")

    static func failureCode(_ name: String) -> Self {
        Self(code: .invalidArgument, text: "unsupported failure code: \(name)")
    }
    static func action(_ number: Int) -> Self {
        Self(code: .invalidArgument, text: "unrecognized resolve action \(number)")
    }
    static func preimageLength(_ count: Int) -> Self {
        Self(code: .unknown, text: "invalid preimage length of \(count), want 32")
    }
    static func notHeld(_ circuit: Circuit) -> Self {
        Self(code: .unknown, text: "forward does not exist: \(circuit)")
    }
    static func recordType(_ type: UInt64) -> Self {
        Self(
            code: .invalidArgument,
            text: "failed to validate custom records: no custom records allowed with types smaller than 65536, got \(type)")
    }

    /// Why the wallet's state forbids a call, or `nil` if it allows it.
    static func wallet(state: Int) -> Self? {
        switch state {
        case 0: Self(code: .unknown, text: "wallet not created, create one to enable full RPC access")
        case 1: Self(code: .unknown, text: "wallet locked, unlock it to enable full RPC access")
        case 3, 4: nil
        case 255: Self(code: .unknown, text: "waiting to start, RPC services not available")
        default:
            Self(
                code: .unknown,
                text: "the RPC server is in the process of starting up, but not yet ready to accept calls")
        }
    }
}
