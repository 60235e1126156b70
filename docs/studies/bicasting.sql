with carried as (
    -- For each point: the cost of a procedure, less the signalling of mipv4 with the same movement (same lead, same seed), per handoff
    -- and per packet saved. Means over the runs, and half of the 95 % interval (Student's t, five runs).
    select point, seed, sum(bytes) as bytes from links group by all
), cost as (
    select p.procedure, p.lead_time_s * 1000 as lead_ms, p."options.bicast" as bicast, seed,
        handoffs, lost, sent - delivered as missing, signalling_messages, signalling_bytes, extra_bytes,
        disruption_p99_s * 1000 as disruption_ms,
        (bytes - extra_bytes) / sent as way,                    -- bytes of one delivered packet on all links and radios
        extra_bytes + (sent - delivered) * way as spent         -- bytes outside the path of a delivered packet
    from runs join carried using (point, seed) join points p using (point)
), beside as (
    select c.*, b.missing - c.missing as saved,
        (c.signalling_messages - b.signalling_messages) / c.handoffs as signalling,
        (c.extra_bytes - b.signalling_bytes) / c.handoffs as extra_a_handoff,
        (c.extra_bytes - b.signalling_bytes) / saved as extra_saved,
        (c.spent - b.spent) / saved as spent_saved
    from cost c join cost b using (lead_ms, seed) where b.procedure = 'mipv4' and c.procedure <> 'mipv4'
)
select lead_ms, procedure, if(procedure like '%bicast', coalesce(bicast, 'default'), '-') as bicast,
    round(avg(lost / handoffs), 3) as lost, round(avg(disruption_ms)) as disruption_ms, round(avg(signalling), 2) as messages,
    round(avg(extra_a_handoff)) as bytes, round(avg(extra_saved)) as a_saved,
    round(2.776 * stddev_samp(extra_saved) / sqrt(5), 1) as plus_minus, round(avg(spent_saved)) as spent
from beside group by all order by lead_ms, procedure, bicast
