"""The common language between every source and every target: money, dates, keys, documents. Pure, no I/O."""
