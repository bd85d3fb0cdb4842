import Ledger
import Loop
import TestSupport
import Testing

@Suite("Attendance")
@LoopActor
struct AttendanceTests {
    @Test("is that of the accounts of which somebody has said so lately")
    func lately() async throws {
        try await withLedger { (ledger, dsn) async throws in
            #expect(try await ledger.attendedAccounts().isEmpty)
            try await ledger.tellAttendance([1, 7])
            try await ledger.tellAttendance([7, 9])
            #expect(try await ledger.attendedAccounts() == [1, 7, 9])
            TestServer.sql("UPDATE attended_accounts SET seen_at = seen_at - interval '31 s' WHERE account = 7", in: dsn)
            #expect(try await ledger.attendedAccounts() == [1, 9])
        }
    }
}
