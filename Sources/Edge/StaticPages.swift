internal import Glibc

/// The files of the public directory, in memory. What is not in the table does not exist, so no path can lead out.
struct StaticPages {
    struct Page {
        var body: [UInt8]
        var contentType: String
        var tag: String
    }

    private var pages: [String: Page] = [:]
    private let routes: [EdgeConfiguration.PageRoute]

    init(directory: String, routes: [EdgeConfiguration.PageRoute]) throws(EdgeError) {
        self.routes = routes
        guard read(directory, under: "", depth: 0) else { throw .cannotReadPages(directory: directory) }
    }

    /// The page for a decoded path.
    func page(_ path: String) -> Page? {
        if path == "/" { return pages["/index.html"] }
        if let page = pages[path] { return page }
        for route in routes {
            if path == route.path, !route.takesSegment { return pages["/" + route.file] }
            if route.takesSegment, path.hasPrefix(route.path + "/"), !path.dropFirst(route.path.count + 1).contains("/"),
                path.utf8.count > route.path.utf8.count + 1 {
                return pages["/" + route.file]
            }
        }
        return nil
    }

    /// Only what a page consists of; keys, macaroons and dot files are none of these.
    private static func contentType(_ name: String) -> String? {
        guard !name.hasPrefix("."), let dot = name.lastIndex(of: ".") else { return nil }
        return switch name[dot...] {
        case ".html": "text/html; charset=utf-8"
        case ".css": "text/css; charset=utf-8"
        case ".js", ".mjs": "text/javascript; charset=utf-8"
        case ".json": "application/json"
        case ".yaml", ".yml": "application/yaml; charset=utf-8"
        case ".svg": "image/svg+xml"
        case ".png": "image/png"
        case ".ico": "image/x-icon"
        case ".webmanifest": "application/manifest+json"
        case ".woff2": "font/woff2"
        case ".txt": "text/plain; charset=utf-8"
        default: nil
        }
    }

    private mutating func read(_ directory: String, under prefix: String, depth: Int) -> Bool {
        guard depth < 8, let listing = unsafe opendir(directory) else { return false }
        defer { unsafe closedir(listing) }
        while let entry = unsafe readdir(listing) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name.hasPrefix(".") { continue }
            var status = stat()
            let file = directory + "/" + name
            guard unsafe stat(file, &status) == 0 else { continue }
            if status.st_mode & S_IFMT == S_IFDIR {
                _ = read(file, under: prefix + "/" + name, depth: depth + 1)
            } else if status.st_mode & S_IFMT == S_IFREG, status.st_size <= 8 << 20, let type = Self.contentType(name), let body = Self.contents(file) {
                pages[prefix + "/" + name] = Page(body: body, contentType: type, tag: Self.tag(body))
            }
        }
        return true
    }

    private static func contents(_ file: String) -> [UInt8]? {
        let descriptor = unsafe open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { Socket.close(descriptor) }
        var body: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0 { return nil }
            if count == 0 { return body }
            body.append(contentsOf: chunk[..<count])
        }
    }

    /// FNV-1a: names a version of a file, protects nothing.
    private static func tag(_ body: [UInt8]) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in body { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return "\"" + String(hash, radix: 16) + "-" + String(body.count, radix: 16) + "\""
    }
}

extension StaticPages.Page {
    /// Nothing is loaded from elsewhere, no page is framed, and an address with a token in it is not passed on.
    private static let policy: [HTTPResponse.Header] = [
        .init(
            "content-security-policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
                + "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"),
        .init("referrer-policy", "no-referrer"),
        .init("x-frame-options", "DENY"),
        .init("cross-origin-opener-policy", "same-origin"),
        .init("permissions-policy", "camera=(), geolocation=(), microphone=()"),
        .init("cache-control", "no-cache"),
    ]

    func response(ifNoneMatch: String?) -> HTTPResponse {
        let headers = Self.policy + [.init("etag", tag)]
        let matches = ifNoneMatch.map { field in
            field == "*" || field.split(separator: ",").contains { item in
                var item = item.drop { $0 == " " }
                while item.last == " " { item.removeLast() }
                return item == tag || item == "W/" + tag
            }
        }
        if matches == true { return HTTPResponse(status: 304, headers: headers) }
        return HTTPResponse(status: 200, contentType: contentType, headers: headers, body: body)
    }
}
