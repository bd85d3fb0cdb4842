internal import GRPC
internal import LnmuxProto
internal import Loop
internal import SwiftProtobuf

/// Tells clients without a stub what there is to call: one stream of questions and answers.
@LoopActor
final class ReflectionStream {
    private static let maximumPending = 32

    private let call: ServerCall
    /// What came before it was known who asks.
    private var pending: [[UInt8]] = []
    private var isAdmitted = false
    private var isHalfClosed = false

    /// `admit` runs its argument if who asks may.
    static func serve(_ call: ServerCall, admit: (@escaping @LoopActor () -> Void) -> Void) {
        let stream = ReflectionStream(call)
        call.onMessage = { stream.received($0) }
        call.onHalfClose = { stream.halfClosed() }
        admit { stream.begin() }
    }

    private init(_ call: ServerCall) { self.call = call }

    private func begin() {
        isAdmitted = true
        for question in pending { answer(question) }
        pending = []
        if isHalfClosed { call.finish(.ok) }
    }

    private func received(_ question: [UInt8]) {
        guard !isAdmitted else { return answer(question) }
        pending.append(question)
        if pending.count > Self.maximumPending { call.overrun() }
    }

    private func halfClosed() {
        isHalfClosed = true
        if isAdmitted { call.finish(.ok) }
    }

    private func answer(_ question: [UInt8]) {
        guard let request = try? Grpc_Reflection_V1_ServerReflectionRequest(serializedBytes: question) else {
            return call.finish(GRPCStatus(.invalidArgument, "the message cannot be read"))
        }
        guard call.bufferedBytes <= LnmuxSettings.maximumUnreadBytes else { return call.overrun() }
        let response = Grpc_Reflection_V1_ServerReflectionResponse.with {
            $0.validHost = request.host
            $0.originalRequest = request
            $0.messageResponse = ServiceDescription.lnmux.answer(request.messageRequest)
        }
        call.send((try? response.serializedBytes()) ?? [])
    }
}
