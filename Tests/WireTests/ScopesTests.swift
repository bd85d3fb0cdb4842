import Testing
import Wire

@Suite("A set of scopes")
struct ScopesTests {
    @Test("holds what was put in and nothing else", arguments: Scope.allCases)
    func single(scope: Scope) {
        let scopes = Scopes([scope])
        for other in Scope.allCases { #expect(scopes.contains(other) == (other == scope)) }
        #expect(Scopes(Scope.allCases).contains(scope))
        #expect(!Scopes([]).contains(scope))
    }
}
