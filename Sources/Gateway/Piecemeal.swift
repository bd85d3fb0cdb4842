internal import Ledger
internal import Loop

/// Writes together what the database takes together. What it refuses for good is written piece by piece, so that a piece which it
/// will never take holds no other back.
@LoopActor
struct Piecemeal<Batch> {
    /// What can be written by itself, in order; a batch of one piece is that piece.
    let pieces: @LoopActor (Batch) -> [Batch]
    let write: @LoopActor (Batch, @escaping @LoopActor (Result<Void, LedgerError>) -> Void) -> Void
    /// The database will never take this piece.
    let refused: @LoopActor (Batch, _ sqlState: String, _ reason: String) -> Void

    /// `done` gets what is still to be written, in order, and why it could not be written now; nothing if all was dealt with.
    func store(_ batch: Batch, _ done: @escaping @LoopActor ([Batch], LedgerError?) -> Void) {
        write(batch) { result in
            switch result {
            case .success: done([], nil)
            case .failure(.rejected(let state, let text)):
                let parts = pieces(batch)
                if parts.count > 1 { return store(parts[...], done) }
                refused(batch, state, text)
                done([], nil)
            case .failure(let error): done([batch], error)
            }
        }
    }

    private func store(_ parts: ArraySlice<Batch>, _ done: @escaping @LoopActor ([Batch], LedgerError?) -> Void) {
        guard let part = parts.first else { return done([], nil) }
        store(part) { left, error in
            if let error { return done(left + parts.dropFirst(), error) }
            store(parts.dropFirst(), done)
        }
    }
}
