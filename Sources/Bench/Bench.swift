internal import Glibc

/// Parts of the gateway by themselves, for `scripts/bench`, which runs them beside their references.
///
/// Guarantees: what is measured is the gateway's own code; only what is before and behind it is made up.
@main
struct Bench {
    static func main() {
        switch CommandLine.arguments.dropFirst().first {
        case "htlc":
            var bench = DecideBench()
            serve { bench.nanoseconds(count: $0) }
        case "invoice":
            let bench = CreateBench()
            serve { bench.nanoseconds(count: $0) }
        case "edge":
            FanoutBench.start()
            // Not readLine: it would lock the streams that the loop's thread flushes.
            var byte: UInt8 = 0
            while unsafe read(STDIN_FILENO, &byte, 1) > 0 {}
        default:
            print("usage: leyden-bench htlc|invoice|edge; see scripts/bench")
            exit(64)
        }
    }

    /// For each line, which is a number, does that many and prints how many nanoseconds one took.
    private static func serve(_ run: (Int) -> Double) {
        while let line = readLine() {
            guard let count = Int(line), count > 0 else { exit(64) }
            print(run(count))
            // Whoever reads it waits for the line.
            fflush(nil)
        }
    }
}
