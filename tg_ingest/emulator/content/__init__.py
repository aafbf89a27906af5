"""What the messages of a world say and carry: a pure function of (seed, channel, id), nothing is stored."""
