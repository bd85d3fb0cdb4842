/// The configuration file that `config print-default` prints and `config/leyden.yml` is: every key with its meaning;
/// defaults in force, the rest commented out.
enum DefaultFile {
    static var text: String {
        var lines = [
            "# Leyden's configuration: every key, its meaning and its default.",
            "#",
            "# Each key can also be given as an environment variable (database.dsn as LEYDEN_DATABASE_DSN, the first node's name as",
            "# LEYDEN_NODES_0_NAME) and many as a flag; flags win over the environment, the environment over this file.",
            "# A secret can be named by the file that holds it: identity_key_file, dsn_file, macaroon_file. Relative paths are seen",
            "# from the directory of this file. Unknown keys are refused. `leyden config check` tells what is wrong.",
        ]
        var section = ""
        for setting in Setting.all {
            let parts = setting.path.split(separator: ".", maxSplits: 1).map(String.init)
            let isCommented = isOff(parts[0])
            let mark = isCommented ? "# " : ""
            if parts.count == 1 {
                section = ""
                lines.append("")
                lines += comment(setting, indent: "")
                lines.append(assignment(setting, parts[0], indent: ""))
                continue
            }
            let isFirst = parts[0] != section
            if isFirst {
                section = parts[0]
                lines.append("")
                lines.append("\(mark)\(section.replacing("[]", with: "")):")
            }
            if section.hasSuffix("[]") {
                lines += comment(setting, indent: "#     ")
                lines.append("#   \(isFirst ? "-" : " ") \(parts[1])\(fileSuffix(setting)): \(setting.fallback ?? setting.example)")
            } else {
                lines += comment(setting, indent: isCommented ? "#   " : "  ")
                lines.append(isCommented ? "#   \(parts[1]): \(setting.example)" : assignment(setting, parts[1], indent: "  "))
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// A section none of whose keys is in force by itself.
    private static func isOff(_ section: String) -> Bool {
        section.hasSuffix("[]") || Setting.all.allSatisfy { !$0.path.hasPrefix(section + ".") || $0.fallback == nil }
    }

    private static func comment(_ setting: Setting, indent: String) -> [String] {
        setting.about.split(separator: "\n").map { "\(indent)# \($0)" }
    }

    private static func assignment(_ setting: Setting, _ name: String, indent: String) -> String {
        guard let fallback = setting.fallback else { return "\(indent)# \(name)\(fileSuffix(setting)): \(setting.example)" }
        return "\(indent)\(name): \(fallback)"
    }

    /// The example of a secret is the file it lies in.
    private static func fileSuffix(_ setting: Setting) -> String { setting.isSecret ? "_file" : "" }
}
