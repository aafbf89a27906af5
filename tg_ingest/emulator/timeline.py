"""When the messages of a channel were sent: never decreasing in the id, busier by day than by night."""

from bisect import bisect_left, bisect_right
from itertools import accumulate

from tg_ingest.emulator.content.draw import mix

DAY = 86_400

# How a channel spends a day (UTC hours 0 to 23), and a week from Thursday (1 January 1970) on.
_HOURS = (2, 1, 1, 1, 1, 2, 4, 7, 9, 10, 9, 9, 10, 9, 8, 8, 9, 10, 12, 13, 12, 9, 6, 4)
_WEEK = (1.0, 1.1, 0.8, 0.7, 1.0, 1.05, 1.0)
_HOUR_ENDS = tuple(accumulate(hour / sum(_HOURS) for hour in _HOURS))
_BUSY_DAY = 3.0  # once in about 40 days something happens


class Timeline:
    """Dates for `messages` ids, spread over the days from `first` to `last` (Unix seconds, at midnight UTC)."""

    def __init__(self, *, seed: int, messages: int, first: int, last: int, growth: float = 2.0) -> None:
        """Take `growth` as how much busier the last day is than the first."""
        self._seed = seed & 0xFFFF
        self._first = first
        days = max(1, (last - first) // DAY)
        weights = list(accumulate(self._weigh(seed, first, day, growth=growth, days=days) for day in range(days)))
        self._ends = [round(messages * weight / weights[-1]) for weight in weights]  # ids sent up to each day's end
        self._starts = [0, *self._ends[:-1]]
        self.messages = messages

    @staticmethod
    def _weigh(seed: int, first: int, day: int, *, growth: float, days: int) -> float:
        draw = mix(seed ^ (day << 8))
        mood = 0.6 + (draw & 0xFF) / 320
        if not draw >> 8 & 0x1F:
            mood *= _BUSY_DAY
        return mood * _WEEK[(first // DAY + day) % 7] * (1 + (growth - 1) * day / days)

    def __call__(self, message_id: int) -> int:
        """When the id was sent, in Unix seconds."""
        day = bisect_left(self._ends, message_id)
        start = self._starts[day]
        jitter = ((message_id * 0x9E3779B1 ^ self._seed) >> 4 & 0xFFF) / 4096
        share = (message_id - start - 1 + jitter) / (self._ends[day] - start)
        hour = bisect_right(_HOUR_ENDS, share)
        if hour > 23:  # noqa: PLR2004  # the sum of the shares is a hair below 1
            return self._first + day * DAY + DAY - 1
        begin = _HOUR_ENDS[hour - 1] if hour else 0.0
        return self._first + day * DAY + int(3600 * (hour + (share - begin) / (_HOUR_ENDS[hour] - begin)))

    def sent_before(self, timestamp: int) -> int:
        """How many of the ids were sent before a date."""
        return bisect_left(range(1, self.messages + 1), timestamp, key=self)


def months_after(year: int, month: int, months: int) -> tuple[int, int]:
    """Year and month, some months later."""
    return year + (month - 1 + months) // 12, (month - 1 + months) % 12 + 1
