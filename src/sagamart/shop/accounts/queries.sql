-- name: credentials_of(email)^
-- What a log-in is checked against.
select customer_id, password_hash from users where email = :email;

-- name: user_of(customer_id)^
-- A user's profile.
select customer_id as id, email, name, language, roles, registered_at, version
from users where customer_id = :customer_id;
