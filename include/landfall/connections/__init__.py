"""The two servers of a load, as Airflow spells their connections."""

from include.landfall.connections.environment import store_from_environ, warehouse_from_environ
from include.landfall.connections.store import Role, Store
from include.landfall.connections.warehouse import Warehouse

__all__ = ["Role", "Store", "Warehouse", "store_from_environ", "warehouse_from_environ"]
