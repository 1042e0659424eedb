"""KPIs: one .sql each over the lake; the runner gives them periods and writes kpi_values."""
