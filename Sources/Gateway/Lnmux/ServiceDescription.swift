internal import FoundationEssentials
internal import GRPC
internal import LnmuxProto
internal import SwiftProtobuf

/// What can be told of one .proto file: its names, and itself.
struct ServiceDescription: Sendable {
    static let lnmux = ServiceDescription(lnmuxDescriptors)

    private let file: Google_Protobuf_FileDescriptorProto
    private let bytes: [UInt8]
    private let symbols: Set<String>

    /// `set` is a serialized FileDescriptorSet with one file.
    init(_ set: [UInt8]) {
        file = (try? Google_Protobuf_FileDescriptorSet(serializedBytes: set))?.file.first ?? Google_Protobuf_FileDescriptorProto()
        bytes = (try? file.serializedBytes()) ?? []
        var symbols: Set<String> = []
        let package = file.package + "."
        for service in file.service {
            symbols.insert(package + service.name)
            for method in service.method { symbols.insert("\(package)\(service.name).\(method.name)") }
        }
        for message in file.messageType {
            symbols.insert(package + message.name)
            for part in message.field.map(\.name) + message.enumType.map(\.name) { symbols.insert("\(package)\(message.name).\(part)") }
        }
        for type in file.enumType { symbols.insert(package + type.name) }
        self.symbols = symbols
    }

    typealias Question = Grpc_Reflection_V1_ServerReflectionRequest.OneOf_MessageRequest
    typealias Answer = Grpc_Reflection_V1_ServerReflectionResponse.OneOf_MessageResponse

    func answer(_ question: Question?) -> Answer {
        switch question {
        case .listServices:
            return .listServicesResponse(.with { $0.service = file.service.map { service in .with { $0.name = "\(file.package).\(service.name)" } } })
        case .fileByFilename(file.name): return fileAnswer
        case .fileContainingSymbol(let symbol) where symbols.contains(symbol): return fileAnswer
        case .fileByFilename(let name): return Self.error(.notFound, "there is no file \(name)")
        case .fileContainingSymbol(let symbol): return Self.error(.notFound, "there is no symbol \(symbol)")
        case .fileContainingExtension, .allExtensionNumbersOfType: return Self.error(.notFound, "there are no extensions")
        case nil: return Self.error(.invalidArgument, "the question is unknown")
        }
    }

    private var fileAnswer: Answer { .fileDescriptorResponse(.with { $0.fileDescriptorProto = [.init(bytes)] }) }

    private static func error(_ code: GRPCStatus.Code, _ text: String) -> Answer {
        .errorResponse(.with {
            $0.errorCode = Int32(code.rawValue)
            $0.errorMessage = text
        })
    }
}
