/// What `--version` and `/v1/info` say.
enum Version {
    static let text = "0.1.0"
}
