// swift-tools-version:6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
]

/// A room of the house; `below` names the rooms and C libraries it may see.
func room(_ name: String, below: [Target.Dependency] = [], resources: [Resource] = []) -> Target {
    .target(name: name, dependencies: below, resources: resources, swiftSettings: strict)
}

func library(_ name: String, pkgConfig: String, apt: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([apt])])
}

func tests(_ name: String, of rooms: [Target.Dependency]) -> Target {
    .testTarget(name: name + "Tests", dependencies: rooms, swiftSettings: strict)
}

let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let protobuf: Target.Dependency = .product(name: "SwiftProtobuf", package: "swift-protobuf")
let yaml: Target.Dependency = .product(name: "Yams", package: "Yams")

let package = Package(
    name: "leyden",
    products: [
        .executable(name: "leyden", targets: ["leyden"]),
        .executable(name: "lnsim", targets: ["lnsim"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    ],
    targets: [
        // C libraries: a module map and a shim, nothing else.
        library("CUV", pkgConfig: "libuv", apt: "libuv1-dev"),
        library("CLWS", pkgConfig: "libwebsockets", apt: "libwebsockets-dev"),
        library("CPQ", pkgConfig: "libpq", apt: "libpq-dev"),
        library("CNghttp2", pkgConfig: "libnghttp2", apt: "libnghttp2-dev"),
        library("CSecp256k1", pkgConfig: "libsecp256k1", apt: "libsecp256k1-dev"),
        library("COpenSSL", pkgConfig: "openssl", apt: "libssl-dev"),
        library("CCrypto", pkgConfig: "libcrypto", apt: "libssl-dev"),
        library("CCurl", pkgConfig: "libcurl", apt: "libcurl4-openssl-dev"),
        library("CQREncode", pkgConfig: "libqrencode", apt: "libqrencode-dev"),

        // Pure rooms.
        room("Payments"),
        room("Bolt", below: ["Payments"]),
        room("Wire", below: ["Payments"]),
        room("Fanout", below: ["Payments"]),
        room("Delivery", below: ["Payments", "Wire"]),
        room("LNURL", below: ["Payments", "Wire", "Bolt"]),

        // The machine room.
        room("Loop", below: ["CUV", "COpenSSL"]),
        room("Keys", below: ["Payments", "Bolt", "CSecp256k1", "CCrypto"]),
        room("GRPC", below: ["Loop", "CNghttp2"]),
        room("QR", below: ["CQREncode"]),
        room("Lightning", below: ["Payments", "Loop"]),

        // Adapters.
        room("LNDProto", below: [protobuf]),
        room("LnmuxProto", below: [protobuf]),
        room("LND", below: ["Payments", "Loop", "Lightning", "GRPC", "LNDProto", protobuf, logging]),
        room("Ledger", below: ["Payments", "Wire", "Delivery", "Loop", "CPQ", logging]),
        room("Edge", below: ["Payments", "Wire", "Fanout", "Loop", "CLWS", "CUV", logging]),
        room("Webhooks", below: ["Delivery", "Loop", "CCurl"]),

        // Facts become orders, orders become I/O.
        room("Gateway", below: [
            "Payments", "Bolt", "Wire", "Fanout", "Delivery", "LNURL", "Loop", "Keys", "GRPC", "Lightning", "LnmuxProto", "Edge", "Ledger", "LND", "Webhooks", "QR",
            protobuf, logging
        ]),

        .executableTarget(
            name: "leyden",
            dependencies: ["Payments", "Bolt", "Wire", "Delivery", "Loop", "Keys", "GRPC", "Edge", "Ledger", "LND", "Webhooks", "Gateway", arguments, logging, yaml],
            swiftSettings: strict),
        .executableTarget(
            name: "lnsim",
            dependencies: ["Payments", "Bolt", "Wire", "Loop", "Keys", "GRPC", "LNDProto", protobuf, "COpenSSL", arguments, logging],
            swiftSettings: strict),
        .executableTarget(
            name: "leyden-bench",
            dependencies: ["Payments", "Bolt", "Wire", "Fanout", "Loop", "Keys", "Edge", "Gateway", logging],
            path: "Sources/Bench", swiftSettings: strict),

        // What the tests of several rooms use; it sees no room.
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),

        tests("Payments", of: ["Payments", "Keys", "TestSupport"]),
        tests("Bolt", of: ["Payments", "Bolt", "Keys", "TestSupport"]),
        tests("Wire", of: ["Payments", "Wire", "TestSupport"]),
        tests("Fanout", of: ["Payments", "Fanout"]),
        tests("Delivery", of: ["Payments", "Delivery", "TestSupport"]),
        tests("LNURL", of: ["Payments", "Bolt", "Wire", "LNURL", "Keys"]),
        tests("Loop", of: ["Loop", "TestSupport"]),
        tests("Keys", of: ["Payments", "Bolt", "Keys"]),
        tests("QR", of: ["QR"]),
        tests("GRPC", of: ["Loop", "GRPC", "TestSupport"]),
        tests("LND", of: ["Payments", "Loop", "Lightning", "GRPC", "LNDProto", "LND", "COpenSSL", logging, protobuf, "TestSupport"]),
        tests("Ledger", of: ["Payments", "Wire", "Delivery", "Loop", "Ledger", "TestSupport"]),
        tests("Edge", of: ["Payments", "Wire", "Fanout", "Loop", "Edge"]),
        tests("Webhooks", of: ["Delivery", "Loop", "Webhooks", "TestSupport"]),
        tests("Gateway", of: ["Payments", "Bolt", "Wire", "Delivery", "Loop", "Keys", "GRPC", "Lightning", "LnmuxProto", "Ledger", "LND", "Edge", "Gateway", "lnsim", "TestSupport", protobuf, logging]),
        tests("lnsim", of: ["Payments", "Bolt", "Keys", "lnsim", "TestSupport"]),
        tests("leyden", of: ["Payments", "leyden", logging]),
        tests("House", of: []),
    ]
)
