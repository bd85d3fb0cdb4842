import Edge
import Glibc
import Loop
import Testing

@Suite(.serialized) struct StaticPagesTests {
    /// A directory with pages, and with what must not be served.
    private func withPages(_ body: (RawClient) throws -> Void) async throws {
        var template = Array("/tmp/leyden-pages-XXXXXX".utf8CString)
        let directory = unsafe String(cString: mkdtemp(&template))
        let files = [
            ("index.html", "<h1>home</h1>"), ("checkout.html", "pay"), ("app.js", "1"), ("admin.macaroon", "secret"), (".env", "secret"),
            ("tls.key", "secret"), ("css/site.css", "p{}"), (".git/config.txt", "secret"),
        ]
        for folder in ["css", ".git"] { unsafe mkdir(directory + "/" + folder, 0o700) }
        for (name, text) in files {
            let descriptor = unsafe open(directory + "/" + name, O_CREAT | O_WRONLY, 0o600)
            _ = unsafe text.withCString { unsafe write(descriptor, $0, text.utf8.count) }
            close(descriptor)
        }
        defer {
            for (name, _) in files { unsafe unlink(directory + "/" + name) }
            for folder in ["css", ".git"] { unsafe rmdir(directory + "/" + folder) }
            unsafe rmdir(directory)
        }
        let test = try await TestServer {
            $0.publicDirectory = directory
            $0.pages = [.init("/checkout", file: "checkout.html", takesSegment: true), .init("/shop", file: "index.html")]
        }
        try body(RawClient(port: test.port))
        await test.server.stop()
    }

    @Test("pages come with a strict policy and are not sent twice")
    func pages() async throws {
        try await withPages { client in
            let home = try #require(client.request("GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
            #expect(home.status == 200 && home.body == "<h1>home</h1>" && home.field("content-type") == "text/html; charset=utf-8")
            let policy = try #require(home.field("content-security-policy"))
            #expect(policy.hasPrefix("default-src 'none'") && !policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"))
            #expect(home.field("referrer-policy") == "no-referrer" && home.field("x-content-type-options") == "nosniff")
            let tag = try #require(home.field("etag"))
            for match in [tag, "W/" + tag, "\"x\", " + tag, "*"] {
                #expect(client.request("GET / HTTP/1.1\r\nHost: a\r\nIf-None-Match: \(match)\r\n\r\n")?.status == 304)
            }
            #expect(client.request("GET / HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"x\"\r\n\r\n")?.status == 200)
            #expect(client.request("GET /css/site.css HTTP/1.1\r\nHost: a\r\n\r\n")?.field("content-type") == "text/css; charset=utf-8")
            #expect(client.request("GET /shop HTTP/1.1\r\nHost: a\r\n\r\n")?.body == "<h1>home</h1>")
            #expect(client.request("GET /checkout/token_1 HTTP/1.1\r\nHost: a\r\n\r\n")?.body == "pay")
        }
    }

    @Test("nothing else in the directory, beside it or above it is served", arguments: [
        "/admin.macaroon", "/.env", "/tls.key", "/.git/config.txt", "/css", "/css/", "/checkout/", "/checkout", "/checkout/a/b", "/shop/x",
        "/../../etc/passwd", "/%2e%2e/etc/passwd", "/css/..%2fadmin.macaroon", "/css/%2e%2e/index.html", "/index.html%00.js", "/INDEX.HTML",
    ])
    func refused(path: String) async throws {
        try await withPages { client in
            let answer = try #require(client.request("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n"))
            #expect(answer.status == 404 || answer.status == 400)
            #expect(!answer.body.contains("secret"))
        }
    }

    @Test("a page is not written to")
    func methods() async throws {
        try await withPages { client in
            #expect(client.request("POST /index.html HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")?.status == 404)
        }
    }
}
