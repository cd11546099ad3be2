"""The settings in the section `[astro_sdk]` that the Astro SDK itself does not have."""

from __future__ import annotations

from airflow.sdk.configuration import conf

SECTION = "astro_sdk"


def exact_decimals() -> bool:
    """Returns whether decimals of the database stay decimals in dataframes.

    By default they become floats, as in the Astro SDK, so that arithmetic with floats works.
    """
    return conf.getboolean(SECTION, "exact_decimals", fallback=False)
