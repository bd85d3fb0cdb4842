/*
 * Bare cryptography, as a reference: libsecp256k1 and libcrypto with everything prepared that can be.
 *
 *   bare htlc       the cryptography of one intercepted HTLC: ECDH, the HMACs of BOLT 4, ChaCha20, the payment secret
 *   bare invoice    one recoverable signature
 *
 * For each line on standard input, which is a number, it does that many and prints how many nanoseconds of processor
 * time one took.
 */
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <secp256k1.h>
#include <secp256k1_ecdh.h>
#include <secp256k1_recovery.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KEYS = 512, PAYLOADS = 1300 };
static secp256k1_context *curve;
static EVP_MD_CTX *digest;
static EVP_CIPHER_CTX *cipher;
static uint8_t secret[32], points[KEYS][33], packet[PAYLOADS + 32];

static void check(int good) {
    if (!good) exit(70);
}

static void sha256(const uint8_t *bytes, size_t size, uint8_t *out) {
    check(EVP_DigestInit_ex2(digest, NULL, NULL) && EVP_DigestUpdate(digest, bytes, size) && EVP_DigestFinal_ex(digest, out, NULL));
}

/* RFC 2104, with a key of at most 64 bytes. */
static void hmac(const uint8_t *key, size_t key_size, const uint8_t *bytes, size_t size, uint8_t *out) {
    uint8_t block[64];
    for (size_t i = 0; i < 64; i++) block[i] = (i < key_size ? key[i] : 0) ^ 0x36;
    check(EVP_DigestInit_ex2(digest, NULL, NULL) && EVP_DigestUpdate(digest, block, 64) && EVP_DigestUpdate(digest, bytes, size));
    check(EVP_DigestFinal_ex(digest, out, NULL));
    for (size_t i = 0; i < 64; i++) block[i] ^= 0x36 ^ 0x5c;
    check(EVP_DigestInit_ex2(digest, NULL, NULL) && EVP_DigestUpdate(digest, block, 64) && EVP_DigestUpdate(digest, out, 32));
    check(EVP_DigestFinal_ex(digest, out, NULL));
}

static void htlc(int number) {
    secp256k1_pubkey point;
    uint8_t shared[32], key[32], code[32], preimage[32], hash[32];
    static const uint8_t start[16];
    int written;
    check(secp256k1_ec_pubkey_parse(curve, &point, points[number % KEYS], 33));
    check(secp256k1_ecdh(curve, shared, &point, secret, NULL, NULL));
    hmac((const uint8_t *)"mu", 2, shared, 32, key);
    hmac(key, 32, packet, sizeof packet, code);
    hmac((const uint8_t *)"rho", 3, shared, 32, key);
    check(EVP_EncryptInit_ex2(cipher, NULL, key, start, NULL));
    check(EVP_EncryptUpdate(cipher, packet, &written, packet, PAYLOADS));
    hmac(secret, 32, packet, 32, preimage);
    hmac(secret, 32, packet, 18, key);
    sha256(preimage, 32, hash);
}

static void invoice(int number) {
    secp256k1_ecdsa_recoverable_signature signature;
    uint8_t compact[64];
    int id;
    memcpy(packet, &number, sizeof number);
    check(secp256k1_ecdsa_sign_recoverable(curve, &signature, packet, secret, NULL, NULL));
    check(secp256k1_ecdsa_recoverable_signature_serialize_compact(curve, compact, &id, &signature));
}

int main(int argc, char **argv) {
    if (argc != 2) return 64;
    void (*run)(int) = strcmp(argv[1], "htlc") == 0 ? htlc : invoice;
    uint8_t seed[32];
    curve = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    digest = EVP_MD_CTX_new();
    cipher = EVP_CIPHER_CTX_new();
    check(RAND_bytes(seed, 32) && RAND_bytes(secret, 32) && RAND_bytes(packet, sizeof packet));
    check(secp256k1_context_randomize(curve, seed) && secp256k1_ec_seckey_verify(curve, secret));
    check(EVP_DigestInit_ex2(digest, EVP_MD_fetch(NULL, "SHA256", NULL), NULL));
    check(EVP_EncryptInit_ex2(cipher, EVP_CIPHER_fetch(NULL, "ChaCha20", NULL), NULL, NULL, NULL));
    for (int i = 0; i < KEYS; i++) {
        secp256k1_pubkey point;
        size_t size = 33;
        check(RAND_bytes(seed, 32) && secp256k1_ec_pubkey_create(curve, &point, seed));
        check(secp256k1_ec_pubkey_serialize(curve, points[i], &size, &point, SECP256K1_EC_COMPRESSED));
    }
    char line[64];
    while (fgets(line, sizeof line, stdin)) {
        int count = atoi(line);
        if (count <= 0) return 64;
        struct timespec before, after;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
        for (int i = 0; i < count; i++) run(i);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
        printf("%.1f\n", ((double)(after.tv_sec - before.tv_sec) * 1e9 + (double)(after.tv_nsec - before.tv_nsec)) / count);
        fflush(stdout);
    }
}
