-- Merge updates and adds; what is no longer in the data has to go by itself.
DELETE FROM {{mart}} AS mart
WHERE NOT EXISTS (
    SELECT FROM {{built}} AS built
    WHERE (built.carrier, built.year, built.month) = (mart.carrier, mart.year, mart.month)
)
