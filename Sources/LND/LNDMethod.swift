/// The paths of LND's methods that are called.
enum LNDMethod: String {
    case subscribeState = "/lnrpc.State/SubscribeState"
    case getState = "/lnrpc.State/GetState"
    case getInfo = "/lnrpc.Lightning/GetInfo"
    case lookupHTLCResolution = "/lnrpc.Lightning/LookupHtlcResolution"
    case getVersion = "/verrpc.Versioner/GetVersion"
    case registerBlockEpoch = "/chainrpc.ChainNotifier/RegisterBlockEpochNtfn"
    case subscribeHTLCEvents = "/routerrpc.Router/SubscribeHtlcEvents"
    case htlcInterceptor = "/routerrpc.Router/HtlcInterceptor"
}
