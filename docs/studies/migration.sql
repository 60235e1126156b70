select share, mobile_procedure as procedure, mobile_nodes, round(avg(handoffs)) as handoffs, round(avg(lost), 1) as lost,
       round(avg(disruption_mean_s) * 1000) as disruption_mean_ms, round(avg(disruption_p99_s) * 1000) as disruption_p99_ms,
       round(avg(agent_messages / handoffs), 1) as messages_per_handoff
from groups join points using (point)
where mobile_nodes > 0
group by all order by share, procedure
