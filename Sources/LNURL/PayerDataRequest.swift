public import Payments
internal import Wire

/// What a pay link wants to know of whoever pays (LUD-18).
public struct PayerDataRequest: Equatable, Sendable {
    public enum Kind: String, Sendable, CaseIterable { case name, pubkey, identifier, email, auth }

    /// Whether each kind that is asked for has to be given.
    public var kinds: [Kind: Bool]

    public init(kinds: [Kind: Bool]) { self.kinds = kinds }

    static let maximumLength = 2048
    static let maximumText = 200

    func append(challenge: Bytes32?, to json: inout JSONWriter) {
        json.object("payerData") { json in
            for kind in Kind.allCases {
                guard let isMandatory = kinds[kind] else { continue }
                if kind == .auth {
                    guard let challenge else { continue }
                    json.object("auth") { json in
                        json.field("mandatory", isMandatory)
                        json.field("k1", challenge)
                    }
                } else {
                    json.field(named: kind.rawValue, .object([("mandatory", .bool(isMandatory))]))
                }
            }
        }
    }

    /// Reads what came. Fields that were not asked for are passed over, but the text as it came is what the invoice commits to.
    public func read(_ text: String) throws(LNURLRefusal) -> PayerData {
        guard text.utf8.count <= Self.maximumLength, let members = (try? JSONReader.read(Array(text.utf8)))?.members else { throw .payerDataInvalid }
        var data = PayerData(received: text)
        for kind in Kind.allCases {
            guard let isMandatory = kinds[kind] else { continue }
            guard let value = members.first(where: { $0.0 == kind.rawValue })?.1, !value.isNull else {
                if isMandatory { throw .payerDataMissing(kind) }
                continue
            }
            if kind == .auth {
                guard let key = value["key"]?.text.flatMap(PublicKey.init(hex:)), let challenge = value["k1"]?.text.flatMap(Bytes32.init(hex:)),
                    let signature = value["sig"]?.text.flatMap(Hex.decode), (8...72).contains(signature.count)
                else { throw .payerDataInvalid }
                data.claim = LoginClaim(challenge: challenge, signature: signature, key: key)
                continue
            }
            guard let text = value.text, DisplayText.isPlain(text, maximum: Self.maximumText) else { throw .payerDataInvalid }
            if isMandatory, text.isEmpty { throw .payerDataMissing(kind) }
            if kind == .pubkey, PublicKey(hex: text) == nil { throw .payerDataInvalid }
            data.fields.append((kind, text))
        }
        return data
    }
}

/// What the payer told of himself.
public struct PayerData: Equatable, Sendable {
    /// As it came, for the hash.
    public var received: String
    /// What was asked for and came, in one order.
    public var fields: [(PayerDataRequest.Kind, String)] = []
    /// Still to be verified.
    public var claim: LoginClaim?

    init(received: String) { self.received = received }

    public static func == (left: Self, right: Self) -> Bool {
        left.received == right.received && left.claim == right.claim && left.fields.elementsEqual(right.fields, by: ==)
    }
}

/// What a wallet says to prove that it has a key (LUD-04).
public struct LoginClaim: Equatable, Sendable {
    public var challenge: Bytes32
    /// ECDSA in DER over the challenge itself.
    public var signature: [UInt8]
    public var key: PublicKey

    public init(challenge: Bytes32, signature: [UInt8], key: PublicKey) {
        self.challenge = challenge
        self.signature = signature
        self.key = key
    }

    /// Of a callback's query; only compressed keys, only hexadecimal digits.
    public init(query value: (String) -> String?) throws(LNURLRefusal) {
        guard let challenge = value("k1").flatMap(Bytes32.init(hex:)) else { throw .challenge }
        guard let signature = value("sig").flatMap(Hex.decode), (8...72).contains(signature.count),
            let key = value("key").flatMap(PublicKey.init(hex:))
        else { throw .signature }
        self.init(challenge: challenge, signature: signature, key: key)
    }
}

/// Text of strangers that is shown to people.
public enum DisplayText {
    /// Whether it has no control characters and nothing that turns the direction of writing around.
    public static func isPlain(_ text: String, maximum bytes: Int, allowsLines: Bool = false) -> Bool {
        guard text.utf8.count <= bytes else { return false }
        return text.unicodeScalars.allSatisfy { scalar in
            switch scalar.value {
            case 0x0A: allowsLines
            case 0..<0x20, 0x7F..<0xA0, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069, 0x2028, 0x2029, 0xFEFF: false
            default: true
            }
        }
    }

    /// The same text without what ``isPlain(_:maximum:allowsLines:)`` refuses, lines kept.
    public static func cleaned(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars where isPlain(String(scalar), maximum: 4, allowsLines: true) { scalars.append(scalar) }
        return String(scalars)
    }
}
