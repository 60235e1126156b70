with carried as (
    -- For each point: the cost of a procedure beyond that of mipv4 with the same movement (same lead, same seed), per handoff and per
    -- lost packet avoided. Means over the runs, and half of the 95 % interval (Student's t, five runs).
    select point, seed, sum(bytes) as bytes from links group by all
), cost as (
    select p.procedure, p.lead_time_ps / 1e9 as lead_ms, p."options.bicast" as bicast, seed,
        handoffs, lost, signalling_messages, disruption_p99_ps / 1e9 as disruption_ms, extra_bytes,
        (bytes - extra_bytes) / sent as way,        -- bytes of one delivered packet on all links and radios
        extra_bytes + lost * way as spent           -- bytes outside the path of a delivered packet
    from runs join carried using (point, seed) join points p using (point)
), beside as (
    select c.*, b.lost - c.lost as avoided,
        (c.signalling_messages - b.signalling_messages) / c.handoffs as signalling,
        (c.extra_bytes - b.extra_bytes) / c.handoffs as extra_a_handoff,
        (c.extra_bytes - b.extra_bytes) / avoided as extra_an_avoided,
        (c.spent - b.spent) / avoided as spent_an_avoided
    from cost c join cost b using (lead_ms, seed) where b.procedure = 'mipv4' and c.procedure <> 'mipv4'
)
select lead_ms, procedure, if(procedure like '%bicast', bicast, '-') as bicast,
    round(avg(lost / handoffs), 3) as lost, round(avg(disruption_ms)) as disruption_ms, round(avg(signalling), 2) as messages,
    round(avg(extra_a_handoff)) as bytes, round(avg(extra_an_avoided)) as an_avoided,
    round(2.776 * stddev_samp(extra_an_avoided) / sqrt(5), 1) as plus_minus, round(avg(spent_an_avoided)) as spent
from beside group by all order by lead_ms, procedure, bicast
