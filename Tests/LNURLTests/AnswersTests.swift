import LNURL
import Payments
import Testing
import Wire

@Suite struct AnswersTests {
    @Test("an error is two members, whatever went wrong, and never empty", arguments: [
        .unknown, .amountMissing, .commentTooLong(allowed: 0), .commentTooLong(allowed: 3), .invoice(.noAmount), .busy, .alreadyUsed,
    ] as [LNURLRefusal])
    func errors(refusal: LNURLRefusal) throws {
        let read = try JSONReader.read(refusal.document)
        #expect(read.members?.map(\.0) == ["status", "reason"] && read["status"]?.text == "ERROR" && read["reason"]?.text?.isEmpty == false)
    }

    @Test("the answer with the invoice has routes, and a success action only if there is one", arguments: [
        (nil, ["pr", "routes", "disposable", "verify"], []),
        (.message("Thanks"), ["pr", "routes", "disposable", "successAction", "verify"], ["tag", "message"]),
        (.url(description: "Tickets", url: "https://a.example/t"), ["pr", "routes", "disposable", "successAction", "verify"], ["tag", "description", "url"]),
        (.aes(description: "Code", text: "x"), ["pr", "routes", "disposable", "successAction", "verify"], ["tag", "description", "ciphertext", "iv"]),
    ] as [(SuccessAction?, [String], [String])])
    func answer(action: SuccessAction?, members: [String], inner: [String]) throws {
        let answer = PayAnswer(
            paymentRequest: "lnbc1x", verify: "https://a.example/v", isDisposable: false, successAction: action,
            sealed: .init(ciphertext: "YQ==", vector: "AAAAAAAAAAAAAAAAAAAAAA=="))
        let read = try JSONReader.read(answer.document)
        #expect(read.members?.map(\.0) == members)
        #expect(read["routes"]?.items?.isEmpty == true && read["disposable"]?.flag == false)
        #expect((read["successAction"]?.members?.map(\.0) ?? []) == inner)
        #expect(read["status"] == nil && read["reason"] == nil)
    }

    @Test("verify always has the preimage's key, and its value only when it is settled")
    func verify() {
        #expect(text(VerifyAnswer(paymentRequest: "ln", preimage: nil).document) == #"{"status":"OK","settled":false,"preimage":null,"pr":"ln"}"#)
        let settled = VerifyAnswer(paymentRequest: "ln", preimage: Preimage(Bytes32()))
        #expect(text(settled.document) == #"{"status":"OK","settled":true,"preimage":"\#(Bytes32().hex)","pr":"ln"}"#)
        #expect(text(LNURLRefusal.done) == #"{"status":"OK"}"#)
    }

    @Test("an address request has its four members")
    func addressRequest() throws {
        let read = try JSONReader.read(AddressRequest(callback: "https://a.example/c", challenge: Bytes32(), description: "Refund").document)
        #expect(read.members?.map(\.0) == ["tag", "callback", "k1", "description"] && read["tag"]?.text == "addressRequest")
    }
}
