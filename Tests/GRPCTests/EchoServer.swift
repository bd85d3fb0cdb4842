import GRPC
import Loop

/// The methods that both ends of the tests know; `Tests/interop/grpc_peer.py` has the same.
@LoopActor
enum EchoServer {
    static let words = "weg: ü 100 % ⚡\nende"

    static func make(tls: TLSServerConfiguration? = nil, settings: GRPCSettings = GRPCSettings()) -> GRPCServer {
        let server = GRPCServer(host: "127.0.0.1", port: 0, tls: tls, settings: settings)
        server.handleUnary("/test.Echo/Unary") { request, call in
            call.send(request)
            call.finish(.ok, trailers: Metadata([("x-answer", call.metadata.first("x-ask") ?? "")]))
        }
        server.handleUnary("/test.Echo/Repeat") { request, call in
            let numbers = String(decoding: request, as: UTF8.self).split(separator: ":").compactMap { Int($0) }
            for _ in 0..<numbers[0] { call.send([UInt8](repeating: UInt8(ascii: "r"), count: numbers[1])) }
            call.finish(.ok)
        }
        server.handle("/test.Echo/Count") { call in
            var (count, size) = (0, 0)
            call.onMessage = { message in
                count += 1
                size += message.count
            }
            call.onHalfClose = { [unowned call] in
                call.send(Array("\(count):\(size)".utf8))
                call.finish(.ok)
            }
        }
        server.handle("/test.Echo/Bidi") { call in
            call.onMessage = { [unowned call] in call.send($0) }
            call.onHalfClose = { [unowned call] in call.finish(.ok) }
        }
        server.handleUnary("/test.Echo/Fail") { _, call in call.finish(GRPCStatus(.notFound, words)) }
        server.handleUnary("/test.Echo/FailLate") { request, call in
            call.send(request)
            call.finish(GRPCStatus(.failedPrecondition, words))
        }
        server.handle("/test.Echo/Never") { _ in }
        return server
    }
}
