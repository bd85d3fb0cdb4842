internal import CNghttp2

// Where a status comes from when the server did not send one (gRPC's PROTOCOL-HTTP2 and http-grpc-status-mapping).
extension GRPCStatus {
    /// From `grpc-status` and `grpc-message`; nil if there is no status among the fields.
    init?(trailers: [HeaderField]) {
        guard let text = trailers.first(where: { $0.name == "grpc-status" })?.value else { return nil }
        let message = trailers.first { $0.name == "grpc-message" }?.value ?? ""
        self.init(Int(text).flatMap(Code.init) ?? .unknown, PercentEncoding.decode(message))
    }

    init(httpStatus: Int) {
        let code: Code =
            switch httpStatus {
            case 400: .internalError
            case 401: .unauthenticated
            case 403: .permissionDenied
            case 404: .unimplemented
            case 429, 502, 503, 504: .unavailable
            default: .unknown
            }
        self.init(code, "HTTP status \(httpStatus)")
    }

    init(resetCode: UInt32) {
        let code: Code =
            switch resetCode {
            case NGHTTP2_REFUSED_STREAM.rawValue: .unavailable
            case NGHTTP2_CANCEL.rawValue: .cancelled
            case NGHTTP2_ENHANCE_YOUR_CALM.rawValue: .resourceExhausted
            case NGHTTP2_INADEQUATE_SECURITY.rawValue: .permissionDenied
            default: .internalError
            }
        self.init(code, "the stream was reset with HTTP/2 error \(resetCode)")
    }

    init(connectionLost reason: ClosedReason) {
        self.init(.unavailable, "no connection: \(reason)")
    }

    /// The fields that carry this status in trailers.
    var fields: [HeaderField] {
        var fields = [HeaderField("grpc-status", String(code.rawValue))]
        if !message.isEmpty { fields.append(HeaderField("grpc-message", PercentEncoding.encode(message))) }
        return fields
    }
}
