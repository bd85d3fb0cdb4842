import FoundationEssentials
@testable import Gateway
import LnmuxProto
import SwiftProtobuf
import Testing

@Suite("What reflection tells")
struct ServiceDescriptionTests {
    private let description = ServiceDescription.lnmux

    private func file(_ question: ServiceDescription.Question?) -> Google_Protobuf_FileDescriptorProto? {
        guard case .fileDescriptorResponse(let files) = description.answer(question) else { return nil }
        return files.fileDescriptorProto.first.flatMap { try? Google_Protobuf_FileDescriptorProto(serializedBytes: $0) }
    }

    private func error(_ question: ServiceDescription.Question?) -> Int32? {
        guard case .errorResponse(let error) = description.answer(question) else { return nil }
        return error.errorCode
    }

    @Test("the file, by its name and by whatever stands in it", arguments: [
        "lnmux.Service", "lnmux.Service.AddInvoice", "lnmux.AddInvoiceRequest", "lnmux.AddInvoiceRequest.amt_msat", "lnmux.InvoiceStatus",
        "lnmux.SubscribeSingleInvoiceResponse.InvoiceState",
    ])
    func symbols(symbol: String) {
        #expect(file(.fileByFilename("lnmux.proto"))?.service.first?.method.count == 8)
        #expect(file(.fileContainingSymbol(symbol))?.package == "lnmux")
    }

    @Test("that there is nothing else, and which question is none")
    func nothing() {
        #expect(error(.fileContainingSymbol("lnmux.Nothing")) == 5)
        #expect(error(.fileByFilename("other.proto")) == 5)
        #expect(error(.allExtensionNumbersOfType("lnmux.Invoice")) == 5)
        #expect(error(nil) == 3)
    }
}
