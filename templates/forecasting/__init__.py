"""Forecast series of numbers (many-to-one and many-to-many): loads, prices, sales; with quantiles and baselines."""
