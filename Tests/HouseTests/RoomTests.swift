import Foundation
import Testing

@Suite("Arrows between the rooms only point down")
struct RoomTests {
    @Test("a room imports only what lies below it", arguments: House.rooms.keys.sorted())
    func importsPointDown(room: String) {
        for source in House.sources(below: "Sources/" + room) {
            let foreign = Set(source.imports).subtracting(House.rooms[room] ?? [])
            #expect(foreign.isEmpty, "\(source.path) imports \(foreign.sorted())")
        }
    }

    @Test("every room is on the map")
    func noUnknownRoom() throws {
        let found = try FileManager.default.contentsOfDirectory(atPath: House.root.appending(path: "Sources").path)
        let libraries = ["CUV", "CLWS", "CPQ", "CNghttp2", "CSecp256k1", "COpenSSL", "CCrypto", "CQREncode", "CCurl"]
        #expect(Set(found).subtracting(libraries) == Set(House.rooms.keys))
    }

    @Test("what tests share sees no room")
    func supportSeesNoRoom() {
        for source in House.sources(below: "Tests/TestSupport") {
            #expect(Set(source.imports).isSubset(of: ["Foundation", "Glibc"]), "\(source.path)")
        }
    }

    @Test("each C library has one wall, and libuv only the loop and the server that runs on it")
    func oneWallPerLibrary() {
        var users: [String: Set<String>] = [:]
        for room in House.rooms.keys {
            for source in House.sources(below: "Sources/" + room) {
                for library in source.imports where library.hasPrefix("C") && library.dropFirst().first?.isUppercase == true {
                    users[library, default: []].insert(room)
                }
            }
        }
        let expected: [String: Set<String>] = [
            "CUV": ["Loop", "Edge"], "COpenSSL": ["Loop", "lnsim"], "CSecp256k1": ["Keys"], "CCrypto": ["Keys"],
            "CNghttp2": ["GRPC"], "CPQ": ["Ledger"], "CLWS": ["Edge"], "CQREncode": ["QR"], "CCurl": ["Webhooks"],
        ]
        for (library, rooms) in users { #expect(rooms.isSubset(of: expected[library] ?? []), "\(library) is used by \(rooms.sorted())") }
    }

    @Test("the manifest gives each room what the map does", arguments: House.rooms.keys.filter { !House.programs.contains($0) }.sorted())
    func manifestAgrees(room: String) throws {
        let manifest = try House.text("Package.swift")
        let pattern = try Regex("room\\(\"\(room)\"(?:, below: \\[([^\\]]*)\\])?", as: (Substring, Substring?).self)
        let match = try #require(manifest.firstMatch(of: pattern))
        let names = ["arguments": "ArgumentParser", "logging": "Logging", "protobuf": "SwiftProtobuf", "yaml": "Yams"]
        let given = (match.output.1 ?? "").split(separator: ",").map { $0.trimmingCharacters(in: CharacterSet(charactersIn: " \n\"")) }
        let system: Set<String> = ["Dispatch", "Glibc", "Foundation", "FoundationEssentials", "FoundationNetworking"]
        #expect(Set(given.map { names[$0] ?? $0 }) == (House.rooms[room] ?? []).subtracting(system))
    }

    @Test("pure rooms neither wait, lock, print nor tell time", arguments: House.pureRooms)
    func pureRoomsTouchNothing(room: String) {
        let words = ["wait", "async", "Task", "actor", "rint", "Date", "Clock", "andom"]
        for source in House.sources(below: "Sources/" + room) {
            #expect(source.places(of: /\b(await|async|Task|actor|print|debugPrint|Date|ContinuousClock|SuspendingClock|SystemRandomNumberGenerator)\b\s*[\(\{.]|\bawait\b|\basync\b|\.random\(in:[^,)]*\)/, words) == [])
        }
    }

    @Test("a room opens with what it guarantees", arguments: House.rooms.keys.filter { !House.programs.contains($0) && !$0.hasSuffix("Proto") }.sorted())
    func roomOpensWithItsPromise(room: String) {
        let opening = House.sources(below: "Sources/" + room).first { $0.path == "Sources/\(room)/\(room).swift" }
        #expect(opening?.lines.first?.hasPrefix("//") == true, "Sources/\(room)/\(room).swift should open with a comment")
    }
}
