import Payments
import Testing
import Wire

@Suite struct InvoiceRequestTests {
    @Test("Amounts that are not whole millisatoshis up to the supply are refused by name",
        arguments: ["0", "-1", "1.0", "1e3", "\"1\"", "2100000000000000001", "18446744073709551616", "true", "[]"])
    func amounts(text: String) {
        #expect { try InvoiceRequest(decoding: Array("{\"amount_msat\":\(text)}".utf8)) } throws: { error in
            guard case FieldError.invalid(field: "amount_msat", _)? = error as? FieldError else { return false }
            return true
        }
    }

    @Test("Limits name the field; what nobody knows is refused by its name")
    func fields() throws {
        func wrong(_ body: String) -> String? {
            do { _ = try InvoiceRequest(decoding: Array(body.utf8)) } catch {
                switch error {
                case .invalid(let field, _): return field
                case .unknownField(let name): return name
                case .notJSON: return "json"
                }
            }
            return nil
        }
        #expect(wrong(#"{"amount":1}"#) == "amount")
        #expect(wrong(#"{"description":"\#(String(repeating: "é", count: 320))"}"#) == "description")
        #expect(wrong(#"{"description":"\#(String(repeating: "a", count: 639))"}"#) == nil)
        #expect(wrong(#"{"description":"a","description_hash":"\#(String(repeating: "0", count: 64))"}"#) == "description_hash")
        #expect(wrong(#"{"expiry_seconds":0}"#) == "expiry_seconds")
        #expect(wrong(#"{"description":"a\u0000b"}"#) == "description")
        #expect(wrong(#"{"expiry_seconds":31536001}"#) == "expiry_seconds")
        #expect(wrong(#"{"settlement":"later"}"#) == "settlement")
        #expect(wrong(#"{"metadata":[]}"#) == "metadata")
        #expect(wrong(#"{"metadata":{"a":1},"stateless":true}"#) == "metadata")
        #expect(wrong(#"{"metadata":{"a":"\#(String(repeating: "b", count: 4096))"}}"#) == "metadata")
        #expect(wrong("[]") == "json")
        #expect(wrong(#"{"stateless":false,"stateless":true}"#) == "json")
        let request = try InvoiceRequest(decoding: Array(#"{"metadata":{"order":[1,{"x":null}]}}"#.utf8))
        #expect(request.metadata == #"{"order":[1,{"x":null}]}"#)
    }
}
