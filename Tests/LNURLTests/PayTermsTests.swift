import Keys
import LNURL
import Payments
import Testing
import Wire

@Suite struct PayTermsTests {
    static let all = PayerDataRequest(kinds: [.name: false, .pubkey: false, .identifier: false, .email: false, .auth: false])

    func terms(_ minimum: UInt64 = 1000, _ maximum: UInt64 = 5000, comment: Int = 0, payer: PayerDataRequest? = nil) -> PayTerms {
        PayTerms(
            minimum: Millisatoshis(minimum), maximum: Millisatoshis(maximum), commentAllowed: comment, payerData: payer,
            metadata: PayMetadata(description: "Tea"))
    }

    @Test("metadata are hashed as they are written")
    func metadata() {
        let metadata = PayMetadata(description: "Pay alice ☕", identifier: "alice@example.com")
        #expect(metadata.text == #"[["text/plain","Pay alice ☕"],["text/identifier","alice@example.com"]]"#)
        #expect(metadata.hash(by: LibCrypto.self).hex == "9035cb99ab97d3dbc103ce23e20b11079b971d4c57a44e50010470fc6e1f6e1d")
    }

    @Test("metadata with quotes and brackets stay in their text")
    func injected() throws {
        let name = #"x"],["image/png;base64","AAAA"#
        let metadata = PayMetadata(description: name, longDescription: "a\nb").adding(tag: "t\\")
        let read = try JSONReader.read(Array(metadata.text.utf8))
        #expect(read.items?.count == 3)
        #expect(read.items?[0].items?.compactMap(\.text) == ["text/plain", name])
        #expect(read.items?[1].items?.compactMap(\.text) == ["text/long-desc", "a\nb"])
    }

    @Test("the first answer has whole numbers and no key that nobody knows")
    func document() throws {
        let plain = try JSONReader.read(terms().document(callback: "https://a.example/c"))
        #expect(plain.members?.map(\.0) == ["tag", "callback", "minSendable", "maxSendable", "metadata"])
        #expect(plain["minSendable"]?.whole == 1000 && plain["maxSendable"]?.whole == 5000)
        #expect(plain["metadata"]?.text == #"[["text/plain","Tea"]]"#)
        let full = try JSONReader.read(terms(comment: 20, payer: Self.all).document(callback: "https://a.example/c", challenge: Bytes32()))
        #expect(full.members?.map(\.0) == ["tag", "callback", "minSendable", "maxSendable", "metadata", "commentAllowed", "payerData"])
        #expect(full["payerData"]?.members?.map(\.0) == ["name", "pubkey", "identifier", "email", "auth"])
        #expect(full["payerData"]?["auth"]?["k1"]?.text == Bytes32().hex && full["payerData"]?["name"]?["mandatory"]?.flag == false)
    }

    @Test("amounts are digits within the limits", arguments: [
        ("1000", nil), ("5000", nil), ("1001", nil), ("999", .amountOutside(minimum: 1000, maximum: 5000)),
        ("5001", .amountOutside(minimum: 1000, maximum: 5000)), ("0", .amountMissing), ("-1000", .amountMissing), ("+1000", .amountMissing),
        ("1e3", .amountMissing), ("1000.0", .amountMissing), (" 1000", .amountMissing), ("", .amountMissing), ("NaN", .amountMissing),
        ("١٠٠٠", .amountMissing), ("18446744073709551616", .amountMissing), ("9223372036854775808", .amountOutside(minimum: 1000, maximum: 5000)),
    ] as [(String, LNURLRefusal?)])
    func amounts(text: String, refusal: LNURLRefusal?) {
        #expect(self.refusal(terms(), query(["amount": text])) == refusal)
    }

    @Test("without an amount there is no invoice; the first of two counts, and what nobody knows is passed over")
    func parameters() throws {
        #expect(refusal(terms(), query([:])) == .amountMissing)
        let request = try terms().judge(query: query(["amount": "2000", "amount": "9", "nonce": "1", "lnurl": "x", "comment": ""]))
        #expect(request == PayRequest(amount: Millisatoshis(2000)))
    }

    @Test("comments are counted in scalars")
    func comments() throws {
        let family = "👨‍👩‍👧"
        #expect(try terms(comment: 5).judge(query: query(["amount": "1000", "comment": family])).comment == family)
        #expect(refusal(terms(comment: 4), query(["amount": "1000", "comment": family])) == .commentTooLong(allowed: 4))
        #expect(refusal(terms(), query(["amount": "1000", "comment": "x"])) == .commentTooLong(allowed: 0))
    }

    @Test("the payer's data are hashed byte for byte behind the metadata")
    func payerDataHash() throws {
        let metadata = PayMetadata(stored: "[]")
        #expect(metadata.hash(payerData: #"{"name":"a"}"#, by: LibCrypto.self).hex == sha256(#"[]{"name":"a"}"#))
        #expect(metadata.hash(by: LibCrypto.self).hex == sha256("[]"))
    }

    @Test("what the payer tells is read if it was asked for")
    func payerData() throws {
        let wanted = PayerDataRequest(kinds: [.name: true, .email: false])
        let text = #"{"name":"Ann \u0022x\u0022","email":"ann@a.example","pubkey":"no","custom":[1]}"#
        let request = try terms(payer: wanted).judge(query: query(["amount": "1000", "payerdata": text]))
        #expect(request.payerData?.received == text)
        let note = request.note(link: "pl_1", address: "till@shop.example", tag: "t", orderID: "A7")
        #expect(note.orderID == "A7" && note.link == "pl_1")
        #expect(note.json == #"{"pay_link":"pl_1","address":"till@shop.example","tag":"t","order_id":"A7","payer_data":{"name":"Ann \"x\"","email":"ann@a.example"}}"#)
        #expect(PayerNote(returned: Array(note.json.utf8)) == note)
        let unasked = try terms().judge(query: query(["amount": "1000", "payerdata": "{"]))
        #expect(unasked.payerData == nil)
    }

    @Test("what is missing or misshapen is refused", arguments: [
        ("{}", .payerDataMissing(.name)), (#"{"name":""}"#, .payerDataMissing(.name)), (#"{"name":null}"#, .payerDataMissing(.name)),
        ("[]", .payerDataInvalid), ("{", .payerDataInvalid), (#"{"name":1}"#, .payerDataInvalid), (#"{"name":"a\u0000b"}"#, .payerDataInvalid),
        (#"{"name":"a\u202Eb"}"#, .payerDataInvalid), (#"{"name":"a","pubkey":"02"}"#, .payerDataInvalid),
        (#"{"name":"a","auth":{"key":"02","k1":"00","sig":"00"}}"#, .payerDataInvalid),
        (#"{"name":""# + String(repeating: "a", count: 2100) + #""}"#, .payerDataInvalid), ("", .payerDataMissing(.name)),
    ] as [(String, LNURLRefusal)])
    func payerDataRefused(text: String, refusal: LNURLRefusal) {
        let wanted = PayerDataRequest(kinds: [.name: true, .pubkey: false, .auth: false])
        #expect(self.refusal(terms(payer: wanted), query(["amount": "1000", "payerdata": text])) == refusal)
    }

    @Test("a payer's key is read with its signature, and the note tells the key alone")
    func payerKey() throws {
        let key = "02c3b844b8104f0c1b15c507774c9ba7fc609f58f343b9b149122e944dd20c9362"
        let text = #"{"auth":{"key":"\#(key)","k1":"\#(Bytes32().hex)","sig":"\#(String(repeating: "30", count: 70))"}}"#
        let request = try terms(payer: Self.all).judge(query: query(["amount": "1000", "payerdata": text]))
        #expect(request.payerData?.claim?.key.hex == key)
        #expect(request.note(link: "pl_1").json == #"{"pay_link":"pl_1","payer_data":{"auth_key":"\#(key)"}}"#)
    }

    @Test("a comment reaches the merchant without control characters")
    func cleaned() {
        let request = PayRequest(amount: Millisatoshis(1), comment: "a\u{202E}b\u{0007}c\nd<script>")
        #expect(request.note(link: "x").json == #"{"pay_link":"x","comment":"abc\nd<script>"}"#)
    }

    private func refusal(_ terms: PayTerms, _ query: (String) -> String?) -> LNURLRefusal? {
        do throws(LNURLRefusal) {
            _ = try terms.judge(query: query)
            return nil
        } catch {
            return error
        }
    }
}
