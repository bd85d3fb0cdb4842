import Foundation
import Logging
import Payments
import Testing
@testable import leyden

@Suite("A line of the log")
struct LogLineTests {
    private func line(_ message: String = "connected", _ fields: [String: String] = [:]) -> LogLine {
        LogLine(time: UnixTime(milliseconds: 1_500), level: .info, label: "leyden", room: "LND", message: message, fields: fields)
    }

    private func object(_ line: LogLine) throws -> [String: String] {
        try #require(try JSONSerialization.jsonObject(with: Data(line.text(.json).utf8)) as? [String: String])
    }

    @Test("for people has time, level, label, fields by name, room and message")
    func console() {
        #expect(
            line("connected", ["node": "alice", "height": "7"]).text(.console)
                == "1970-01-01T00:00:01.500Z info leyden: height=7 node=alice [LND] connected\n")
    }

    @Test("for machines is one object with the same, and no field hides another")
    func json() throws {
        let told = try object(line("connected", ["node": "alice", "level": "critical"]))
        #expect(told == [
            "time": "1970-01-01T00:00:01.500Z", "level": "info", "label": "leyden", "room": "LND", "message": "connected", "node": "alice",
            "level_": "critical",
        ])
    }

    static let hostile = ["a\nb", "a\r\nb", "\u{1b}[31mred", "\u{9b}2J", "\u{202e}backwards", "\u{2028}", "\0", "\u{7f}"]

    @Test("stays one line, and moves no cursor, whatever somebody puts into it", arguments: hostile)
    func injection(text: String) throws {
        for line in [line(text), line("x", ["reason": text]), line("x", [text: "y"])] {
            for format in LogLine.Format.allCases {
                let written = line.text(format).unicodeScalars.dropLast()
                #expect(line.text(format).hasSuffix("\n"))
                #expect(!written.contains { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) || [0x2028, 0x202e].contains($0.value) })
            }
            #expect(try object(line)["level"] == "info")
        }
    }

    @Test("keeps a value within its field", arguments: ["a level=critical", "a] [LND", "", "say \"x\""])
    func values(text: String) throws {
        let written = line("x", ["reason": text]).text(.console)
        #expect(written.contains("reason=\"") && written.hasSuffix("\" [LND] x\n"))
        #expect(try object(line("x", ["reason": text]))["reason"] == text)
    }
}
