import Foundation
import Testing

@Suite("The sources keep the house rules")
struct SourceTests {
    static let all = House.sources(below: "Sources") + House.sources(below: "Tests")

    @Test("no file is longer than four hundred lines")
    func filesAreShort() {
        for source in Self.all { #expect(source.lines.count <= 400, "\(source.path) has \(source.lines.count) lines") }
    }

    @Test("nothing is left for later")
    func nothingIsLeft() {
        let later = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]
        for source in Self.all {
            for (index, line) in source.lines.enumerated() where later.contains(where: { line.contains($0) }) {
                let words = line.split { !$0.isLetter && $0 != "_" }
                #expect(!words.contains { later.contains(String($0)) }, "\(source.path):\(index + 1)")
            }
        }
    }

    @Test("only the programs print")
    func onlyProgramsPrint() {
        for room in House.rooms.keys where !House.programs.contains(room) {
            for source in House.sources(below: "Sources/" + room) { #expect(source.places(of: /\b(print|debugPrint|dump)\(/, ["rint(", "dump("]) == []) }
        }
    }

    @Test("each unchecked promise carries its proof beside it")
    func promisesCarryProof() {
        let promises = ["@unchecked", "nonisolated(unsafe)", "unsafeBitCast", "@preconcurrency"]
        for source in House.sources(below: "Sources") {
            for (index, line) in source.lines.enumerated()
            where promises.contains(where: { line.contains($0) }) && promises.contains(where: { Source.code(line).contains($0) }) {
                #expect(source.hasComment(near: index), "\(source.path):\(index + 1) promises without saying why")
            }
        }
    }

    @Test("no trap waits for bytes from outside: decoders neither force nor try!", arguments: House.pureRooms)
    func decodersDoNotForce(room: String) {
        for source in House.sources(below: "Sources/" + room) {
            #expect(source.places(of: /\btry!|\bas!|fatalError\(/, ["try!", "as!", "fatalError"]) == [])
        }
    }

    @Test("nothing refers to the machine it was written on")
    func noMachinePaths() throws {
        let path = try Regex("(^|[^A-Za-z0-9_.-])/(wo" + "rk|ro" + "ot|ho" + "me/[a-z]+)/")
        var texts = Self.all.map { ($0.path, $0.lines) }
        for name in ["README.md", "SECURITY.md", "Dockerfile", "compose.yml", "config/leyden.yml"] {
            texts.append((name, try House.text(name).components(separatedBy: "\n")))
        }
        for (name, lines) in texts {
            for (index, line) in lines.enumerated() where line.contains("/") { #expect(!line.contains(path), "\(name):\(index + 1)") }
        }
    }

    @Test("the scripts that people call are there and can be run", arguments: ["scripts/demo", "scripts/test", "scripts/bench", "scripts/postgres", ".ci/run"])
    func scriptsRun(path: String) {
        #expect(FileManager.default.isExecutableFile(atPath: House.root.appending(path: path).path))
    }
}
