import Testing

@testable import GRPC

@Suite("Statuses")
struct StatusTests {
    @Test("a message of any characters survives the trailers")
    func roundTrip() {
        for message in ["", "plain", "100 %", "ü ⚡ \u{0} \n", "%41", "trailing %", "%4"] {
            let status = GRPCStatus(.unknown, message)
            #expect(GRPCStatus(trailers: status.fields) == status)
            #expect(PercentEncoding.encode(message).utf8.allSatisfy { (0x20...0x7E).contains($0) })
        }
    }

    @Test("what is no escape stays as it came")
    func wrongEscapes() {
        #expect(PercentEncoding.decode("%zz %4 %") == "%zz %4 %")
        #expect(PercentEncoding.decode("%ff%41") == "\u{FFFD}A")
    }

    @Test(
        "a status that the server did not send follows from HTTP's",
        arguments: [
            (400, GRPCStatus.Code.internalError), (401, .unauthenticated), (403, .permissionDenied), (404, .unimplemented),
            (429, .unavailable), (502, .unavailable), (503, .unavailable), (504, .unavailable), (500, .unknown), (0, .unknown),
        ])
    func http(status: Int, code: GRPCStatus.Code) { #expect(GRPCStatus(httpStatus: status).code == code) }

    @Test(
        "a reset stream has the status of its error code (gRPC over HTTP/2, Errors)",
        arguments: [
            (7 as UInt32, GRPCStatus.Code.unavailable), (8, .cancelled), (11, .resourceExhausted), (12, .permissionDenied),
            (1, .internalError), (2, .internalError),
        ])
    func reset(errorCode: UInt32, code: GRPCStatus.Code) { #expect(GRPCStatus(resetCode: errorCode).code == code) }

    @Test("a status number that nobody knows is UNKNOWN")
    func strangeNumbers() {
        #expect(GRPCStatus(trailers: [HeaderField("grpc-status", "99")])?.code == .unknown)
        #expect(GRPCStatus(trailers: [HeaderField("grpc-status", "-")])?.code == .unknown)
        #expect(GRPCStatus(trailers: []) == nil)
    }

    @Test("metadata names are lower case, and gRPC's own names are not the application's")
    func metadata() {
        var metadata = Metadata([("Macaroon", "00ff"), ("te", "x")])
        metadata.add("Twice", "1")
        metadata.add("twice", "2")
        #expect(metadata.first("macaroon") == "00ff")
        #expect(metadata.first("twice") == "1")
        #expect(metadata.fields.map(\.name) == ["macaroon", "twice", "twice"])
        #expect(metadata.fields.map(\.isSecret) == [true, false, false])
    }
}
