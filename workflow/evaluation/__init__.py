"""What the steps share: data, records, metrics, tables and figures."""
