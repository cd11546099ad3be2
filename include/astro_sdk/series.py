"""A pandas Series that crosses from task to task, as the documentation's first example returns."""

from __future__ import annotations

from typing import Any

import pandas as pd
from astro.dataframes.pandas import PandasDataframe


class PandasSeries(pd.Series):
    """A Series that crosses as a dataframe of one column, and comes back as a plain Series."""

    def serialize(self) -> dict[str, Any]:
        """Returns what XCom keeps; the limit on its size is the dataframe's."""
        frame = PandasDataframe(pd.Series(self).to_frame(name=0))
        return {"name": self.name, "frame": frame.serialize()}

    @staticmethod
    def deserialize(data: dict[str, Any], version: int) -> pd.Series:
        """Returns the Series again, with its name."""
        frame = PandasDataframe.deserialize(data["frame"], version)
        return pd.Series(frame.iloc[:, 0]).rename(data["name"])
