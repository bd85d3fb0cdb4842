extension RequestFields {
    private static let maximumName = 100

    /// What somebody calls something: short, and of characters that a line of a terminal can show.
    func name(_ field: String, required: Bool) throws(FieldError) -> String {
        guard let text = try text(field) else {
            guard !required else { throw .invalid(field: field, "must not be missing") }
            return ""
        }
        guard text.utf8.count <= Self.maximumName, !required || !text.isEmpty else {
            throw .invalid(field: field, "must have \(required ? 1 : 0) to \(Self.maximumName) bytes of UTF-8")
        }
        guard text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control && $0.properties.generalCategory != .format }) else {
            throw .invalid(field: field, "must not contain control characters")
        }
        return text
    }
}
