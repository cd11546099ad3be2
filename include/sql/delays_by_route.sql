-- For each route: how late its flights were, how long they took, how many airlines fly it, and how
-- old their aircraft are.
SELECT
    flights.origin,
    flights.dest,
    max(airports.name) AS destination,
    max(flights.distance) AS miles,
    count(*) AS flights,
    count(*) FILTER (WHERE flights.dep_time IS NULL) AS cancelled,
    count(DISTINCT flights.carrier) AS airlines,
    round(avg(flights.dep_delay), 2)::numeric(8, 2) AS mean_dep_delay,
    round(avg(flights.arr_delay), 2)::numeric(8, 2) AS mean_arr_delay,
    (percentile_cont(0.5) WITHIN GROUP (ORDER BY flights.air_time))::numeric(8, 1)
        AS median_air_time,
    round(avg(flights.year - planes.year), 1)::numeric(6, 1) AS mean_aircraft_age
FROM {{flights}} AS flights
LEFT JOIN {{airports}} AS airports ON airports.faa = flights.dest
LEFT JOIN {{planes}} AS planes USING (tailnum)
GROUP BY flights.origin, flights.dest
