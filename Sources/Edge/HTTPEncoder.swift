/// Writes answers.
enum HTTPEncoder {
    /// What the connection adds to an answer.
    struct Framing {
        var keepsAlive: Bool
        var isVersion11: Bool
        /// HEAD: the length of the body, but not the body.
        var omitsBody: Bool
        var requestID: String?
        var date: String
    }

    static func encode(_ response: HTTPResponse, _ framing: Framing, into output: inout [UInt8]) {
        output.reserveCapacity(output.count + response.body.count + 320)
        let status = (200...599).contains(response.status) ? response.status : 500
        start(status, response.headers, framing, into: &output)
        let hasBody = status != 204 && status != 304
        if hasBody {
            output.append(contentsOf: "content-length: ".utf8)
            append(decimal: response.body.count, to: &output)
            output.append(contentsOf: "\r\n".utf8)
        }
        if !framing.keepsAlive {
            output.append(contentsOf: "connection: close\r\n".utf8)
        } else if !framing.isVersion11 {
            output.append(contentsOf: "connection: keep-alive\r\n".utf8)
        }
        output.append(contentsOf: "\r\n".utf8)
        if hasBody, !framing.omitsBody { output.append(contentsOf: response.body) }
    }

    /// The head of a stream; its end is the end of the connection.
    static func encodeStream(_ headers: [HTTPResponse.Header], _ framing: Framing, into output: inout [UInt8]) {
        start(200, headers, framing, into: &output)
        output.append(contentsOf: "content-type: text/event-stream\r\ncache-control: no-store\r\nx-accel-buffering: no\r\nconnection: close\r\n\r\n".utf8)
    }

    private static func start(_ status: Int, _ headers: [HTTPResponse.Header], _ framing: Framing, into output: inout [UInt8]) {
        output.append(contentsOf: framing.isVersion11 ? "HTTP/1.1 ".utf8 : "HTTP/1.0 ".utf8)
        append(decimal: status, to: &output)
        output.append(0x20)
        unsafe output.append(contentsOf: reason(status).utf8)
        output.append(contentsOf: "\r\ndate: ".utf8)
        output.append(contentsOf: framing.date.utf8)
        output.append(contentsOf: "\r\nx-content-type-options: nosniff\r\n".utf8)
        if let id = framing.requestID { append(field: "x-request-id", id, to: &output) }
        for header in headers { append(field: header.name, header.value, to: &output) }
    }

    /// Control characters are left out, so that no value can begin another field.
    private static func append(field name: String, _ value: String, to output: inout [UInt8]) {
        for byte in name.utf8 where byte > 0x20 && byte != 0x3A && byte != 0x7F { output.append(byte) }
        output.append(contentsOf: ": ".utf8)
        for byte in value.utf8 where byte >= 0x20 && byte != 0x7F { output.append(byte) }
        output.append(contentsOf: "\r\n".utf8)
    }

    private static func append(decimal value: Int, to output: inout [UInt8]) {
        output.append(contentsOf: String(value).utf8)
    }

    private static func reason(_ status: Int) -> StaticString {
        switch status {
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 301: "Moved Permanently"
        case 302: "Found"
        case 303: "See Other"
        case 304: "Not Modified"
        case 307: "Temporary Redirect"
        case 308: "Permanent Redirect"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 402: "Payment Required"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 406: "Not Acceptable"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 410: "Gone"
        case 413: "Content Too Large"
        case 415: "Unsupported Media Type"
        case 422: "Unprocessable Content"
        case 426: "Upgrade Required"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        default: "Answer"
        }
    }
}

extension StaticString {
    fileprivate var utf8: UnsafeBufferPointer<UInt8> { unsafe UnsafeBufferPointer(start: utf8Start, count: utf8CodeUnitCount) }
}
