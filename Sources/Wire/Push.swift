public import Payments

/// The push that carries one event to every subscriber of a channel; encoded once.
public enum Push {
    public static func publication(_ event: PublishedEvent, on channel: Channel) -> [UInt8] {
        var bytes: [UInt8] = []
        publication(event, on: channel, to: &bytes)
        return bytes
    }

    /// Adds it to bytes, whatever stands there.
    public static func publication(_ event: PublishedEvent, on channel: Channel, to bytes: inout [UInt8]) {
        var json = JSONWriter(taking: &bytes, room: event.data.utf8.count + 256)
        json.object { json in
            json.object("push") { json in
                json.field("channel", channel)
                json.object("pub") { fields(of: event, &$0) }
            }
        }
        swap(&bytes, &json.bytes)
    }

    /// A publication, as a push carries it and as a reply lists it.
    static func fields(of event: PublishedEvent, _ json: inout JSONWriter) {
        json.object("data") { EventCodec.fields(of: event, &$0) }
        json.field("offset", event.offset)
    }
}
