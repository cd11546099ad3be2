DROP SCHEMA IF EXISTS shop CASCADE;
DROP SCHEMA IF EXISTS tmp_astro CASCADE;
CREATE SCHEMA shop;
CREATE SCHEMA tmp_astro;
CREATE TABLE shop.history (label text, total double precision);
