@testable import Keys
import Bolt
import Payments
import Testing

@Suite("Secrets of webhooks")
struct WebhookSecretsTests {
    @Test("v1 is what the specification's example says")
    func vector() throws {
        // whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw has twenty-four bytes; ours have thirty-two, and HMAC pads a short key with zeros.
        let key = try #require(Base64URL.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        let padded = try #require(Bytes32(key + [UInt8](repeating: 0, count: 8)))
        let secret = WebhookSecret(bytes: padded)
        let message = Array(#"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}"#.utf8)
        #expect(secret.sign(message) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    @Test("v1a is ed25519 as RFC 8032 has it")
    func ed25519() throws {
        let seed = try #require(Bytes32(hex: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
        let key = WebhookSigningKey(seed: seed)
        #expect(key.publicText == "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
        #expect(key.sign([]) == "v1a,5VZDAMNgrHKQhuLMgG6CioSHfx645dl02HPgZSJJAVVfuIIVkKM7rMYeOXAc+bRr0lv18FlbviRlUUFDjnoQCw==")
    }

    @Test("each endpoint, each generation and each scheme has another, and the same next time")
    func derived() throws {
        let bytes = try #require(Bytes32(repeatElement(7, count: 32)))
        let identity = try #require(IdentityKey(bytes))
        let secrets = WebhookSecrets(identity: identity)
        let first = secrets.secret(endpoint: "a", generation: 1)
        #expect(first.text == WebhookSecrets(identity: identity).secret(endpoint: "a", generation: 1).text)
        #expect(WebhookSecret(text: first.text)?.text == first.text)
        for wrong in ["", "whsec_", "whsec_AAAA", String(first.text.dropLast()), first.text + "=", "whpk_" + first.text.dropFirst(6)] {
            #expect(WebhookSecret(text: wrong) == nil)
        }
        #expect(first.text.hasPrefix("whsec_") && first.text.utf8.count == 6 + 44)
        let others = [secrets.secret(endpoint: "a", generation: 2), secrets.secret(endpoint: "b", generation: 1), WebhookSecret()]
        #expect(Set(others.map(\.text) + [first.text]).count == 4)
        #expect(secrets.signingKey(endpoint: "a", generation: 1).publicText != secrets.signingKey(endpoint: "a", generation: 2).publicText)
        #expect("\(first)\(secrets)".contains(first.text) == false)
    }
}
