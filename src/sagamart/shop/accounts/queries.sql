-- name: credentials_of(email)^
-- What a log-in is checked against.
select customer_id, password_hash, epoch from users where email = :email and erased_at is null;

-- name: credentials_of_user(customer_id)^
-- What somebody who is logged in is checked against.
select email, password_hash, epoch from users where customer_id = :customer_id and erased_at is null;

-- name: forgiven_at(origins)
-- When the failed log-ins of these accounts and clients are forgiven.
select origin, forgiven_at from failed_log_ins where origin = any(:origins::text[]);

-- name: user_of(customer_id)^
-- A user's profile.
select customer_id as id, email, name, language, roles, registered_at, version,
       email_confirmed_at is not null as email_confirmed, new_email
from users where customer_id = :customer_id and erased_at is null;

-- name: user_with(email)^
-- The user with an e-mail address.
select customer_id as id, email, name, language, roles, registered_at, version,
       email_confirmed_at is not null as email_confirmed
from users where email = :email and erased_at is null;

-- name: staff_after(after, limit)
-- Users who are more than customers, by id; each of them is in the journal of roles.
select customer_id as id, email, name, language, roles, registered_at, version,
       email_confirmed_at is not null as email_confirmed
from users
where customer_id in (select customer_id from role_changes where customer_id > :after)
    and roles <> '["CUSTOMER"]' and erased_at is null
order by customer_id
limit :limit;

-- name: addresses_of(customer_id)^
-- A customer's book of addresses.
select version, addresses from address_books where customer_id = :customer_id;

-- name: log_ins_of(customer_id, limit)
-- A customer's latest log-ins.
select family_id, generation, expires_at, revoked_for
from refresh_families where customer_id = :customer_id
order by expires_at desc, family_id
limit :limit;

-- name: role_changes_of(customer_id, after, limit)
-- Who gave and took a user's roles, the oldest first.
select change_id, by, before, after, at
from role_changes where customer_id = :customer_id and change_id > :after
order by change_id
limit :limit;

-- name: token_of(token_id)^
-- A one-time token that has not been used, and whom it is for.
select t.customer_id, t.purpose, t.expires_at
from one_time_tokens t join users u using (customer_id)
where t.token_id = :token_id and t.used_at is null and t.expires_at > now() and u.erased_at is null
      and coalesce(t.epoch, u.epoch) = u.epoch
      and (t.purpose <> 'email_change' or t.token_id = u.new_email_token);

-- name: new_email_of(token_id)^
-- The address that a token was sent to confirm, where that is another one than its user has.
select u.customer_id, u.new_email
from one_time_tokens t join users u using (customer_id)
where t.token_id = :token_id and u.new_email_token = t.token_id;

-- name: machine_of(client_id)^
-- What a program's log-in is checked against.
select client_id, secret_hash, roles from machines where client_id = :client_id and revoked_at is null;

-- name: machines_after(after, limit)
-- Programs that may log in, and those that may no more.
select client_id, name, roles, made_by, made_at, revoked_at
from machines where client_id > :after
order by client_id
limit :limit;
