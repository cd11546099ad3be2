-- Delays and cancellations by the weather at the airport in the hour of departure.
WITH conditions AS (
    -- At most one row for each airport and hour, so no flight is counted twice.
    SELECT DISTINCT ON (origin, time_hour)
        origin,
        time_hour,
        CASE
            WHEN visib < 1 THEN 'fog'
            WHEN precip > 0 AND temp <= 32 THEN 'snow or ice'
            WHEN precip > 0 THEN 'rain'
            -- One hour has 1048 miles an hour: the instrument was broken.
            WHEN wind_speed BETWEEN 25 AND 200 THEN 'wind'
            ELSE 'fair'
        END AS condition
    FROM {{weather}}
    ORDER BY origin, time_hour, precip DESC, visib
)
SELECT
    flights.origin,
    coalesce(conditions.condition, 'not observed') AS condition,
    count(*) AS flights,
    count(*) FILTER (WHERE flights.dep_time IS NULL) AS cancelled,
    round(100.0 * count(*) FILTER (WHERE flights.dep_time IS NULL) / count(*), 2)::numeric(5, 2)
        AS cancelled_percent,
    round(avg(flights.dep_delay), 2)::numeric(8, 2) AS mean_dep_delay,
    round(avg(flights.arr_delay), 2)::numeric(8, 2) AS mean_arr_delay
FROM {{flights}} AS flights
LEFT JOIN conditions USING (origin, time_hour)
GROUP BY flights.origin, coalesce(conditions.condition, 'not observed')
