-- Merge only updates and adds rows. This statement deletes the rows that the data no longer has.
DELETE FROM {{mart}} AS mart
WHERE NOT EXISTS (
    SELECT FROM {{built}} AS built
    WHERE (built.carrier, built.year, built.month) = (mart.carrier, mart.year, mart.month)
)
