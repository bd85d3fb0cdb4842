internal import Payments
internal import Wire

/// The columns of a batch, in the order of `leyden_commit`'s parameters.
struct CommitColumns {
    // An entry each.
    private var wave = Column(TypeID.integer)
    private var kind = Column(TypeID.smallint)
    private var hash = Column(TypeID.bytea)
    private var account = Column(TypeID.bigint)
    private var time = Column(TypeID.timestamp)
    private var state = Column(TypeID.text)
    private var setID = Column(TypeID.bytea)
    private var preimage = Column(TypeID.bytea)
    private var received = Column(TypeID.bigint)
    private var amount = Column(TypeID.bigint)
    private var expires = Column(TypeID.timestamp)
    private var settlement = Column(TypeID.smallint)
    private var isStored = Column(TypeID.boolean)
    private var request = Column(TypeID.text)
    private var text = Column(TypeID.text)
    private var textHash = Column(TypeID.bytea)
    private var metadata = Column(TypeID.text)
    private var order = Column(TypeID.text)
    private var node = Column(TypeID.bytea)
    private var chanID = Column(TypeID.bigint)
    private var htlcID = Column(TypeID.bigint)
    private var isSettled = Column(TypeID.boolean)
    private var isOffChain = Column(TypeID.boolean)

    // An accepted HTLC each; `partEntry` counts from one.
    private var partEntry = Column(TypeID.integer)
    private var partHash = Column(TypeID.bytea)
    private var partSetID = Column(TypeID.bytea)
    private var partNode = Column(TypeID.bytea)
    private var partChanID = Column(TypeID.bigint)
    private var partHTLCID = Column(TypeID.bigint)
    private var partAmount = Column(TypeID.bigint)
    private var partTotal = Column(TypeID.bigint)
    private var partIncoming = Column(TypeID.bigint)
    private var partOutgoing = Column(TypeID.bigint)
    private var partFail = Column(TypeID.integer)
    private var partOnChain = Column(TypeID.boolean)
    private var partFee = Column(TypeID.bigint)

    // A search term of a new invoice each; `termEntry` counts from one.
    private var termEntry = Column(TypeID.integer)
    private var termHash = Column(TypeID.bytea)
    private var term = Column(TypeID.bigint)

    // An event each; `eventEntry` counts from one.
    private var eventEntry = Column(TypeID.integer)
    private var eventID = Column(TypeID.text)
    private var eventType = Column(TypeID.text)
    private var eventHash = Column(TypeID.bytea)
    private var eventData = Column(TypeID.text)

    var all: [Column] {
        [
            wave, kind, hash, account, time, state, setID, preimage, received, amount, expires, settlement, isStored, request,
            text, textHash, metadata, order, node, chanID, htlcID, isSettled, isOffChain,
            partEntry, partHash, partSetID, partNode, partChanID, partHTLCID, partAmount, partTotal, partIncoming, partOutgoing,
            partFail, partOnChain, partFee, termEntry, termHash, term,
            eventEntry, eventID, eventType, eventHash, eventData,
        ]
    }

    /// What an entry says in the columns that not every kind has.
    private struct Facts {
        var kind: Int64
        var state: InvoiceState?
        var setID: SetID?
        var preimage: Preimage?
        var received: Millisatoshis?
        var terms: InvoiceTerms?
        var invoice: InvoiceRecord?
        var note: PayerNote?
        var circuit: CircuitKey?
        var resolution: Resolution?
    }

    mutating func append(_ entry: CommitEntry, wave: Int, number: Int) {
        let step = entry.change.step
        let facts = Self.facts(of: step)
        self.wave.append(Int64(wave))
        kind.append(facts.kind)
        // What is told about an invoice goes to the invoice's account.
        hash.append((step.paymentHash ?? entry.change.events.first?.paymentHash)?.bytes)
        account.append(facts.invoice?.account ?? entry.account)
        time.append(entry.change.time)
        state.append(facts.state?.rawValue)
        setID.append(facts.setID?.bytes)
        preimage.append(facts.preimage?.bytes)
        received.append(facts.received)
        append(facts.terms)
        append(facts.invoice, facts.note, isNew: facts.terms != nil)
        append(facts.circuit, facts.resolution)
        switch step {
        case .accept(let set, _), .void(let set):
            for held in set.htlcs { append(held, of: set, number: number) }
        case .create, .requestSettlement, .release, .cancel, .expire, .resolve, .tell: break
        }
        for value in entry.searchTerms {
            termEntry.append(Int64(number))
            termHash.append(step.paymentHash?.bytes)
            term.append(value)
        }
        for event in entry.rendered {
            eventEntry.append(Int64(number))
            eventID.append(event.id)
            eventType.append(event.type.rawValue)
            eventHash.append(event.paymentHash?.bytes)
            eventData.append(event.data)
        }
    }

    private static func facts(of step: Change.Step) -> Facts {
        switch step {
        case .create(let invoice):
            Facts(kind: 0, state: .open, received: .zero, terms: invoice.terms, invoice: invoice)
        case .accept(let set, let preimage):
            Facts(
                kind: 1, state: preimage == nil ? .accepted : .settleRequested, setID: set.setID, preimage: preimage,
                received: set.received, terms: set.terms, note: set.note)
        case .requestSettlement(_, let setID, let preimage):
            Facts(kind: 2, state: .settleRequested, setID: setID, preimage: preimage)
        case .release(_, let setID): Facts(kind: 3, state: .open, setID: setID)
        case .cancel(_, let setID): Facts(kind: 4, state: .canceled, setID: setID)
        case .expire: Facts(kind: 5, state: .expired)
        case .resolve(_, let circuit, let resolution, let last): Facts(kind: 6, state: last, circuit: circuit, resolution: resolution)
        case .tell: Facts(kind: 7)
        case .void(let set): Facts(kind: 8, state: .open, setID: set.setID)
        }
    }

    private mutating func append(_ terms: InvoiceTerms?) {
        amount.append(terms?.amount)
        expires.append(terms?.expiresAt)
        terms.map { settlement.append(Int64($0.settlement.rawValue)) } ?? settlement.appendNull()
        isStored.append(terms?.isStored)
    }

    /// A stateless invoice's row has no payment request: the payer has it, and nobody else asks for it. In the place of a
    /// merchant's metadata it has what came with the payment.
    private mutating func append(_ invoice: InvoiceRecord?, _ note: PayerNote?, isNew: Bool) {
        request.append(invoice?.paymentRequest ?? (isNew ? "" : nil))
        switch invoice?.description {
        case .text(let value):
            text.append(value)
            textHash.appendNull()
        case .hash(let value):
            text.appendNull()
            textHash.append(value)
        case nil:
            text.appendNull()
            textHash.appendNull()
        }
        metadata.append(invoice?.metadata ?? note?.json)
        order.append(invoice?.orderID ?? note?.orderID)
    }

    private mutating func append(_ circuit: CircuitKey?, _ resolution: Resolution?) {
        isSettled.append(resolution?.isSettled)
        isOffChain.append(resolution?.isOffChain)
        guard let circuit else {
            node.appendNull()
            chanID.appendNull()
            htlcID.appendNull()
            return
        }
        node.append(circuit.node)
        chanID.append(Int64(bitPattern: circuit.chanID))
        htlcID.append(Int64(bitPattern: circuit.htlcID))
    }

    private mutating func append(_ held: HeldHTLC, of set: AcceptedSet, number: Int) {
        partEntry.append(Int64(number))
        partHash.append(set.paymentHash.bytes)
        partSetID.append(set.setID.bytes)
        partNode.append(held.circuitKey.node)
        partChanID.append(Int64(bitPattern: held.circuitKey.chanID))
        partHTLCID.append(Int64(bitPattern: held.circuitKey.htlcID))
        partAmount.append(held.amount)
        partTotal.append(held.total)
        partIncoming.append(Int64(held.incomingExpiry))
        partOutgoing.append(Int64(held.outgoingExpiry))
        partFail.append(Int64(held.autoFailHeight))
        partOnChain.append(held.isOnChain)
        partFee.append(held.fee)
    }
}
