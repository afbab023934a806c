-- name: notifications_of
-- What a person was told, newest first, from just before one message on, and how it went out.
select notification_id, kind, facts, at,
       coalesce((select jsonb_agg(jsonb_build_object('channel', channel, 'status', status, 'reason', reason)
                                  order by channel)
                 from dispatches d where d.notification_id = n.notification_id), '[]') as sent
from notifications n
where customer_id = :customer_id and (at, notification_id) < (:before_at, :before_id)
order by at desc, notification_id desc
limit :limit;

-- name: preferences_of(customer_id)^
-- By which channels somebody wants to be told, and by which number.
select version, email, sms, phone from preferences where customer_id = :customer_id and not erased;

-- name: webhooks_after
-- Subscriptions by id, from just after one on.
select subscription_id, version, url, events, note, status, made_by, made_at, former_until
from subscriptions where subscription_id > :after and status <> 'deleted'
order by subscription_id
limit :limit;

-- name: webhook(subscription_id)^
-- One subscription.
select subscription_id, version, url, events, note, status, made_by, made_at, former_until
from subscriptions where subscription_id = :subscription_id and status <> 'deleted';

-- name: deliveries_of
-- What was or is to be posted to a subscription, newest first, from just before one delivery on.
select delivery_id, event, type, data, status, at, attempts, replays, answer, reason, next_at, ended_at
from deliveries
where subscription_id = :subscription_id and (at, delivery_id) < (:before_at, :before_id)
  and (:status::text is null or status = :status)
order by at desc, delivery_id desc
limit :limit;

-- name: delivery_to_post(delivery_id)^
-- A delivery with where it goes and what it is signed with.
select d.subscription_id, d.type, d.data, d.at, s.status, s.url, s.secret, s.former_secret, s.former_until
from deliveries d join subscriptions s using (subscription_id)
where d.delivery_id = :delivery_id;
