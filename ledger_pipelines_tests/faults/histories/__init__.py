"""Any history of a store: what customers, staff and the line do, in an order that a seed chooses, and what the other side must hold
when it is over."""
