"""A local Telegram over real MTProto. It imports nothing of the rest; only the demo and the tests start it."""
