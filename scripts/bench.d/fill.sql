-- :rows invoices as a shop leaves them in a year: most are settled, some have expired, the newest are open. Each has an order id of its
-- own and a member of the metadata that it shares with many.
INSERT INTO invoices (payment_hash, account, state, payment_request, amount_msat, received_msat, settlement, is_stored, description,
    metadata, order_id, created_at, expires_at, set_id, settled_at, booked_at, preimage)
SELECT sha256(int8send(n)), 1, s.state, rpad('lnbcrt210n1', 320, md5(n::text)), 21000, CASE s.state WHEN 'settled' THEN 21000 ELSE 0 END, 0, true,
    'A jar of lightning', '{' || chr(34) || 'shop' || chr(34) || ':' || n % 10 || '}', 'order-' || n, s.made, s.made + interval '1 hour',
    CASE s.state WHEN 'settled' THEN sha256(int8send(-n)) END, s.ended, s.ended,
    CASE s.state WHEN 'settled' THEN sha256(int8send(n)) END
FROM generate_series(1, :rows) n
CROSS JOIN LATERAL (SELECT date_trunc('second', now()) - (:rows - n) * interval '2 seconds' AS made,
    (CASE WHEN n > :rows - 1000 THEN 'open' WHEN n % 1000 = 0 THEN 'failed' WHEN n % 3 = 0 THEN 'expired' ELSE 'settled' END)::invoice_state AS state) k
CROSS JOIN LATERAL (SELECT k.state, k.made, CASE WHEN k.state IN ('settled', 'failed') THEN k.made + interval '1 minute' END AS ended) s;

INSERT INTO invoice_terms (account, term, created_at, number)
SELECT i.account, ('x' || left(encode(sha256(convert_to(t.text, 'UTF8')), 'hex'), 16))::bit(64)::bigint, i.created_at, i.number
FROM invoices i CROSS JOIN LATERAL (VALUES ('order_id=' || i.order_id), ('metadata.shop=' || (i.metadata::jsonb ->> 'shop'))) t (text)
WHERE i.order_id LIKE 'order-%';

INSERT INTO htlcs (payment_hash, node, chan_id, htlc_id, set_id, amount_msat, total_msat, incoming_expiry, outgoing_expiry, auto_fail_height,
    is_on_chain, is_settled, is_off_chain, accepted_at, resolved_at)
SELECT i.payment_hash, decode('02', 'hex') || i.payment_hash, 1, i.number, i.set_id, 21000, 21000, 900, 800, 880, false, true, true,
    i.settled_at, i.settled_at
FROM invoices i WHERE i.state = 'settled' AND i.order_id LIKE 'order-%';

WITH made AS (
    SELECT i.payment_hash, i.created_at, row_number() OVER (ORDER BY i.number) AS place FROM invoices i WHERE i.order_id LIKE 'order-%')
INSERT INTO events (part, id, type, account, time, payment_hash, data, "offset")
SELECT s.part, 'evt_' || md5(m.place::text), 'invoice.created', 1, m.created_at, m.payment_hash, '{}', s.head + m.place FROM made m, stream s;
UPDATE stream SET head = head + (SELECT count(*) FROM invoices i WHERE i.order_id LIKE 'order-%');
SELECT setval('invoices_number_seq', greatest((SELECT max(number) FROM invoices), 1));
