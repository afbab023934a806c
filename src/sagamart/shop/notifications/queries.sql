-- name: notifications_of
-- What a person was told, newest first, from just before one message on.
select notification_id, kind, facts, at
from notifications
where customer_id = :customer_id and (at, notification_id) < (:before_at, :before_id)
order by at desc, notification_id desc
limit :limit;
