"""MTProto's cryptography against published vectors, and against a second implementation."""

from collections import defaultdict
from hashlib import sha1

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from hypothesis import given
from hypothesis import strategies as st
from telethon.crypto import AuthKey
from telethon.network.mtprotostate import MTProtoState

from tg_ingest.emulator import crypto
from tg_ingest.emulator.primes import DH_PRIME, is_prime, two_primes
from tg_ingest.emulator.server_key import rsa_fingerprint

# core.telegram.org/mtproto/samples-auth_key: one complete key exchange of Telegram's servers.
SERVER_NONCE = bytes.fromhex("A5CF4D33F4A11EA877BA4AA573907330")
NEW_NONCE = bytes.fromhex("311C85DB234AA2640AFC4A76A735CF5B1F0FD68BD17FA181E1229AD867CC024D")
TMP_AES_KEY = bytes.fromhex("F011280887C7BB01DF0FC4E17830E0B91FBB8BE4B2267CB985AE25F33B527253")
TMP_AES_IV = bytes.fromhex("3212D579EE35452ED23E0D0C92841AA7D31B2E9BDEF2151E80D15860311C85DB")
ENCRYPTED_ANSWER = bytes.fromhex(
    "28A92FE20173B347A8BB324B5FAB2667C9A8BBCE6468D5B509A4CBDDC186240AC912CF7006AF8926DE606A2E74C0493C"
    "AA57741E6C82451F54D3E068F5CCC49B4444124B9666FFB405AAB564A3D01E67F6E912867C8D20D9882707DC330B17B4"
    "E0DD57CB53BFAAFA9EF5BE76AE6C1B9B6C51E2D6502A47C883095C46C81E3BE25F62427B585488BB3BF239213BF48EB8"
    "FE34C9A026CC8413934043974DB03556633038392CECB51F94824E140B98637730A4BE79A8F9DAFA39BAE81E1095849E"
    "A4C83467C92A3A17D997817C8A7AC61C3FF414DA37B7D66E949C0AEC858F048224210FCC61F11C3A910B431CCBD104CC"
    "CC8DC6D29D4A5D133BE639A4C32BBFF153E63ACA3AC52F2E4709B8AE01844B142C1EE89D075D64F69A399FEB04E656FE"
    "3675A6F8F412078F3D0B58DA15311C1A9F8E53B3CD6BB5572C294904B726D0BE337E2E21977DA26DD6E33270251C2CA2"
    "9DFCC70227F0755F84CFDA9AC4B8DD5F84F1D1EB36BA45CDDC70444D8C213E4BD8F63B8AB95A2D0B4180DC91283DC063"
    "ACFB92D6A4E407CDE7C8C69689F77A007441D4A6A8384B666502D9B77FC68B5B43CC607E60A146223E110FCB43BC3C94"
    "2EF981930CDC4A1D310C0B64D5E55D308D863251AB90502C3E46CC599E886A927CDA963B9EB16CE62603B68529EE98F9"
    "F5206419E03FB458EC4BD9454AA8F6BA777573CC54B328895B1DF25EAD9FB4CD5198EE022B2B81F388D281D5E5BC5801"
    "07CA01A50665C32B552715F335FD76264FAD00DDD5AE45B94832AC79CE7C511D194BC42B70EFA850BB15C2012C5215CA"
    "BFE97CE66B8D8734D0EE759A638AF013"
)
AUTH_KEY = bytes.fromhex(
    "AB96E207C631300986F30EF97DF55E179E63C112675F0CE502EE76D74BBEE6CBD1E95772818881E9F2FF54BD52C25878"
    "7474F6A7BEA61EABE49D1D01D55F64FC07BC31685716EC8FB46FEACF9502E42CFD6B9F45A08E90AA5C2B5933AC767CBE"
    "1CD50D8E64F89727CA4A1A5D32C0DB80A9FCDBDDD4F8D5A1E774198F1A4299F927C484FEEC395F29647E43C3243986F9"
    "3609E23538C21871DF50E00070B3B6A8FA9BC15628E8B43FF977409A61CEEC5A21CF7DFB5A4CC28F5257BC30CD8F2FB9"
    "2FBF21E28924065F50E0BBD5E11A420300E2C136B80E9826C6C5609B5371B7850AA628323B6422F3A94F6DFDE4C3DC1E"
    "A60F7E11EE63122B3F39CBD1A8430157"
)


def test_handshake_key_and_iv_are_those_of_the_documented_exchange():
    assert crypto.handshake_key_iv(SERVER_NONCE, NEW_NONCE) == (TMP_AES_KEY, TMP_AES_IV)


def test_the_documented_answer_decrypts_to_what_its_own_hash_covers():
    answer = crypto.decrypt_ige(ENCRYPTED_ANSWER, TMP_AES_KEY, TMP_AES_IV)
    inner = answer[20 : 20 + 564]
    assert inner[:4] == bytes.fromhex("BA0D89B5")  # server_DH_inner_data
    assert sha1(inner).digest() == answer[:20]
    assert int.from_bytes(inner[44:300], "big") == DH_PRIME
    assert crypto.encrypt_ige(answer, TMP_AES_KEY, TMP_AES_IV) == ENCRYPTED_ANSWER


def test_new_nonce_hash_is_that_of_the_documented_dh_gen_ok():
    expected = bytes.fromhex("CCEBC0217266E1EDEC7FB0A0EED6C220")
    assert crypto.new_nonce_hash(NEW_NONCE, 1, crypto.auth_key_aux_hash(AUTH_KEY)) == expected


def test_the_fingerprint_of_the_documented_key():
    # samples-auth_key names this public key of Telegram's 0xc3b42b026ce86b21.
    pem = b"""-----BEGIN RSA PUBLIC KEY-----
MIIBCgKCAQEAwVACPi9w23mF3tBkdZz+zwrzKOaaQdr01vAbU4E1pvkfj4sqDsm6
lyDONS789sVoD/xCS9Y0hkkC3gtL1tSfTlgCMOOul9lcixlEKzwKENj1Yz/s7daS
an9tqw3bfUV/nqgbhGX81v/+7RFAEd+RwFnK7a+XYl9sluzHRyVVaTTveB2GazTw
Efzk2DWgkBluml8OREmvfraX3bkHZJTKX4EQSjBbbdJ2ZXIsRrYOXfaA+xayEGB+
8hdlLmAjbCVfaigxX0CDqWeR1yFL9kwd9P0NsZRPsmoqVwMbMu7mStFai6aIhc3n
Slv8kg9qv1m6XHVQY3PnEw+QQtqSIXklHwIDAQAB
-----END RSA PUBLIC KEY-----"""
    key = load_pem_public_key(pem)
    assert isinstance(key, RSAPublicKey)
    numbers = key.public_numbers()
    assert rsa_fingerprint(numbers.n, numbers.e) == 0xC3B42B026CE86B21


def test_the_documented_pq_is_the_product_of_two_primes():
    assert 0x494C553B * 0x53911073 == 0x17ED48941A08F981
    assert is_prime(0x494C553B)
    assert is_prime(0x53911073)
    assert not is_prime(0x494C553B * 7)


def ige_from_ecb(plain: bytes, key: bytes, iv: bytes) -> bytes:
    """Infinite garble extension as OpenSSL's paper defines it, built from single AES blocks."""
    block = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    last_cipher, last_plain, out = iv[:16], iv[16:], b""
    for at in range(0, len(plain), 16):
        chunk = plain[at : at + 16]
        mixed = bytes(a ^ b for a, b in zip(chunk, last_cipher, strict=True))
        last_cipher = bytes(a ^ b for a, b in zip(block.update(mixed), last_plain, strict=True))
        last_plain = chunk
        out += last_cipher
    return out


@pytest.mark.parametrize(
    ("key", "iv", "plain", "cipher"),
    [
        (
            "000102030405060708090A0B0C0D0E0F",
            "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
            "00" * 32,
            "1A8519A6557BE652E9DA8E43DA4EF4453CF456B4CA488AA383C79C98B34797CB",
        ),
        (
            "5468697320697320616E20696D706C65",
            "6D656E746174696F6E206F6620494745206D6F646520666F72204F70656E5353",
            "99706487A1CDE613BC6DE0B6F24B1C7AA448C8B9C3403E3467A8CAD89340F53B",
            "4C2E204C6574277320686F70652042656E20676F74206974207269676874210A",
        ),
    ],
)
def test_openssls_vectors_hold_for_the_definition(key, iv, plain, cipher):
    # OpenSSL test/igetest.c; its vectors are AES-128, so they vouch for the reference that the next test uses.
    key, iv, plain, cipher = (bytes.fromhex(each) for each in (key, iv, plain, cipher))
    assert ige_from_ecb(plain, key, iv) == cipher


@given(key=st.binary(min_size=32, max_size=32), iv=st.binary(min_size=32, max_size=32), blocks=st.integers(1, 20))
def test_aes_256_ige_follows_the_definition(key, iv, blocks):
    plain = bytes(index * 37 % 256 for index in range(blocks * 16))
    cipher = crypto.encrypt_ige(plain, key, iv)
    assert cipher == ige_from_ecb(plain, key, iv)
    assert crypto.decrypt_ige(cipher, key, iv) == plain


def test_a_message_of_another_implementation_decrypts():
    state = MTProtoState(AuthKey(AUTH_KEY), defaultdict(lambda: None))
    state.salt, state.id = 5, 6
    packet = state.encrypt_message_data(b"body" * 5)
    assert int.from_bytes(packet[:8], "little") == crypto.auth_key_id(AUTH_KEY)
    plain = crypto.decrypt_message(AUTH_KEY, packet)
    assert plain[:36] == (5).to_bytes(8, "little") + (6).to_bytes(8, "little") + b"body" * 5


@pytest.mark.parametrize("at", [8, 23, 24, -1])
def test_a_flipped_bit_anywhere_is_refused(at):
    packet = bytearray(crypto.encrypt_message(AUTH_KEY, bytes(40), sender="client"))
    packet[at] ^= 1
    with pytest.raises(crypto.DecryptionError):
        crypto.decrypt_message(AUTH_KEY, bytes(packet))


def test_the_servers_own_message_is_not_taken_for_a_clients():
    packet = crypto.encrypt_message(AUTH_KEY, bytes(40), sender="server")
    with pytest.raises(crypto.DecryptionError):
        crypto.decrypt_message(AUTH_KEY, packet, sender="client")


def test_pq_is_positive_for_clients_that_read_it_signed():
    counter = iter(range(1, 10**6))
    for _ in range(50):
        p, q = two_primes(lambda count: sha1(str(next(counter)).encode()).digest()[:count])
        assert is_prime(p)
        assert is_prime(q)
        assert p < q
        assert p * q < 1 << 63
