"""Neto and Saasu kept in step: products and stock both ways, customers, orders, payments, returns."""
