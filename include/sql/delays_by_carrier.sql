-- How late each airline was in each month. Every airline of raw.airlines has a row for every month of
-- raw.flights. So a month that arrives again has the same keys, and merge can update its rows.
WITH months AS (SELECT DISTINCT year, month FROM {{flights}})
SELECT
    airlines.carrier,
    airlines.name AS airline,
    months.year,
    months.month,
    count(flights.carrier) AS flights,
    count(flights.carrier) FILTER (WHERE flights.dep_time IS NULL) AS cancelled,
    round(avg(flights.dep_delay), 2)::numeric(8, 2) AS mean_dep_delay,
    round(avg(flights.arr_delay), 2)::numeric(8, 2) AS mean_arr_delay,
    (percentile_cont(0.9) WITHIN GROUP (ORDER BY flights.arr_delay))::numeric(8, 1)
        AS p90_arr_delay,
    -- The US Department of Transportation counts a flight as late from 15 minutes on.
    count(*) FILTER (WHERE flights.arr_delay >= 15) AS late
FROM {{airlines}} AS airlines
CROSS JOIN months
LEFT JOIN {{flights}} AS flights USING (carrier, year, month)
GROUP BY airlines.carrier, airlines.name, months.year, months.month
