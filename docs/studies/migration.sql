select share, mobile_procedure as procedure, mobile_nodes,
       round(avg(handoffs)) as handoffs, round(avg(lost)) as lost, round(avg(lost / handoffs), 2) as lost_per_handoff,
       round(avg(disruption_p99_ps) / 1e9) as disruption_p99_ms, round(avg(agent_messages / handoffs), 1) as messages_per_handoff
from groups join points using (point)
where mobile_nodes > 0
group by all order by share, procedure
