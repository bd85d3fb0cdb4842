public import Loop

/// What stands behind the edge and decides.
@LoopActor
public protocol EdgeApplication: AnyObject {
    /// Answers a request that is not a static page, now or later, through `responder`.
    func handle(_ request: HTTPRequest, _ responder: HTTPResponder)
}
