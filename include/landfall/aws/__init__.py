"""Who a load is to AWS: keys, roles and what they sign."""
