"""Open-source integration of shops, subscriptions and marketplaces with the books, on Dagster."""
