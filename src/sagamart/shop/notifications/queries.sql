-- name: notifications_of
-- What a person was told, newest first, from just before one message on, and how it went out.
select notification_id, kind, facts, at,
       coalesce((select jsonb_agg(jsonb_build_object('channel', channel, 'status', status, 'reason', reason)
                                  order by channel)
                 from dispatches d
                 where d.dispatch_id in (n.notification_id || '/email', n.notification_id || '/sms')), '[]') as sent
from notifications n
where customer_id = :customer_id and (at, notification_id) < (:before_at, :before_id)
order by at desc, notification_id desc
limit :limit;

-- name: preferences_of(customer_id)^
-- By which channels somebody wants to be told, and by which number.
select version, email, sms, phone from preferences where customer_id = :customer_id and not erased;
