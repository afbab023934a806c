-- What must hold in every service's database: nothing is left lying about.

-- name: messages_left_in_the_outbox
-- 10: a row is young, or somebody who lives holds its lease.  An id begins with the moment of what caused it.
select
    id::text as subject,
    null::bigint as version,
    (
        select format('%s about %s has not arrived', min(m ->> 'type'), string_agg(distinct m ->> 'key', ', '))
        from string_to_table(convert_from(messages, 'UTF8'), e'\n') line, lateral (select line::jsonb as m)
    ) as seen
from outbox
where (:only::text[] is null or id::text = any(:only::text[]))
    and (
        lease_until < now() - interval '60 s'
        or id < (lpad(to_hex((extract(epoch from now() - interval '300 s') * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
    )
order by id;

-- name: timers_nobody_fires
-- 7: a timer whose moment has come is offered again every few seconds, which moves its moment.
select
    key || '/' || name as subject,
    null::bigint as version,
    format('the timer %s of %s has been due since %s', name, key, due_at) as seen
from timers
where due_at < now() - interval '60 s' and (:only::text[] is null or key || '/' || name = any(:only::text[]))
order by due_at;

-- name: dead_letters_by_type
-- 16: what could not be handled, and what waits behind it.
select
    type || ' ' || status as subject,
    count(*) as version,
    format(
        '%s %s of %s, about %s: %s',
        count(*),
        case count(*) when 1 then 'message' else 'messages' end,
        type,
        array_to_string((array_agg(distinct key))[1 : 20], ', '),
        left(split_part(min(error), e'\n', 1), 200)
    ) as seen
from dead_letters
where status <> 'discarded' and (:only::text[] is null or type || ' ' || status = any(:only::text[]))
group by type, status
order by type, status;

-- name: keys_under_way
-- What these keys are about is still moving: a message has not arrived yet.
select distinct line::jsonb ->> 'key' as key
from outbox, string_to_table(convert_from(messages, 'UTF8'), e'\n') line
where line::jsonb ->> 'key' = any(:only::text[]);
