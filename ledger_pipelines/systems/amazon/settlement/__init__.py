"""Settlement files: reading them exactly, or refusing them with a reason.

The way in is `reader.read_settlement`. `options` says what may be asked and what comes back, `findings` how a refusal
speaks, `columns` which columns the variants have and which rows are kept. Everything here works on paths given to it.
"""
