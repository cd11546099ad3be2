-- For each airline: how late its flights arrived as first reported, where a diverted flight has no delay,
-- and with the corrections.
SELECT
    flights.carrier,
    count(*) AS flights,
    count(corrections.arr_delay) AS corrected,
    round(avg(flights.arr_delay), 2)::numeric(8, 2) AS mean_arr_delay_first,
    round(avg(coalesce(corrections.arr_delay, flights.arr_delay)), 2)::numeric(8, 2)
        AS mean_arr_delay
FROM {{flights}} AS flights
LEFT JOIN {{flight_corrections}} AS corrections
    USING (year, month, day, carrier, flight, origin)
GROUP BY flights.carrier
