"""The numbers of the key exchange: the fixed Diffie-Hellman group, and the small primes of the proof of work."""

from tg_ingest.emulator.crypto import RandomBytes

# The prime of core.telegram.org/mtproto/samples-auth_key, which Telegram's own servers have used; 3 generates a
# large cyclic subgroup because the prime is 2 modulo 3.
DH_GENERATOR = 3
DH_PRIME = int(
    "C71CAEB9C6B1C9048E6C522F70F13F73980D40238E3E21C14934D037563D930F48198A0AA7C14058229493D22530F4DB"
    "FA336F6E0AC925139543AED44CCE7C3720FD51F69458705AC68CD4FE6B6B13ABDC9746512969328454F18FAF8C595F64"
    "2477FE96BB2A941D5BCD1D4AC8CC49880708FA9B378E3C4F3A9060BEE67CF9A4A4A695811051907E162753B56B0F6B41"
    "0DBA74D8A84B2A14B3144E0EF1284754FD17ED950D5965B4B9DD46582DB1178D169C6BC465B0D6FF9CA3928FEF5B9AE4"
    "E418FC15E83EBEA0F87FA9FF5EED70050DED2849F47BF959D956850CE929851F0D8115F635B105EE2E4E15D04B2454BF"
    "6F4FADF034B10403119CD8E3B92FCC5B",
    16,
)

_WITNESSES = (2, 3, 5, 7)  # they decide primality below 3,215,031,751 without error
_SMALL = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)


def is_prime(number: int) -> bool:
    """Tell primes below 2^31 (Miller-Rabin with witnesses that are exact there)."""
    if number < 2:  # noqa: PLR2004 - the smallest prime
        return False
    if any(number % small == 0 for small in _SMALL):
        return number in _SMALL
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    return all(_passes(witness, number, odd, twos) for witness in _WITNESSES)


def two_primes(random_bytes: RandomBytes) -> tuple[int, int]:
    """Return two different 31-bit primes, the smaller first.

    Their product stays below 2^63: clients that read pq as a signed number cannot factor a larger one.
    """
    p = q = _random_prime(random_bytes)
    while q == p:
        q = _random_prime(random_bytes)
    return min(p, q), max(p, q)


def _passes(witness: int, number: int, odd: int, twos: int) -> bool:
    power = pow(witness, odd, number)
    if power in {1, number - 1}:
        return True
    for _ in range(twos - 1):
        power = power * power % number
        if power == number - 1:
            return True
    return False


def _random_prime(random_bytes: RandomBytes) -> int:
    candidate = int.from_bytes(random_bytes(4), "big") >> 2 | 1 << 30 | 1
    while not is_prime(candidate):
        candidate += 2
    return candidate
