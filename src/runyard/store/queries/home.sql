-- name: home
SELECT cloud, place FROM home WHERE number = 1

-- name: home_insert
INSERT INTO home (number, cloud, place) VALUES (1, $1, $2) ON CONFLICT (number) DO NOTHING
