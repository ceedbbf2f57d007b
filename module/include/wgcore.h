/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The wall: every type and function that the C glue and the C++ core share.
 *
 * Calls go from C to C++ only; nothing here calls back. Integers have fixed
 * sizes, messages are byte arrays, state is opaque storage that C embeds in
 * the structure that owns it. Time comes in as an argument: @now_ns is boot
 * time in nanoseconds (it keeps counting during suspend), @unix_ns is wall
 * clock time in nanoseconds since 1970. Random bytes come in as arguments too.
 * No function here allocates, sleeps, takes a lock or keeps a pointer after it
 * returns, except where its comment says so.
 *
 * "Context:" names the lock that the caller holds. Where nothing is said, the
 * call works on its arguments alone and may run anywhere.
 *
 * Sources: "the paper" is the WireGuard paper, "Noise" the Noise specification.
 */
#ifndef WGCORE_H
#define WGCORE_H

#if !defined(__cplusplus) && defined(__KERNEL__)
#include <linux/types.h>
#else
#include <stddef.h>
#include <stdint.h>
#ifndef __cplusplus
#include <stdbool.h>
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define WGC_KEY_LEN 32
#define WGC_COOKIE_NONCE_LEN 24
#define WGC_INITIATION_LEN 148
#define WGC_RESPONSE_LEN 92
#define WGC_COOKIE_REPLY_LEN 64
#define WGC_DATA_HEADER_LEN 16
#define WGC_TAG_LEN 16
#define WGC_DATA_OVERHEAD (WGC_DATA_HEADER_LEN + WGC_TAG_LEN)
/* Every message is at least this long (a data message with no payload). */
#define WGC_MIN_MESSAGE_LEN WGC_DATA_OVERHEAD
/* mac1 and mac2 end an initiation and a response. */
#define WGC_MACS_LEN 32
/* The source of a message, for cookies: IPv4 or IPv6 address, then the port. */
#define WGC_SOURCE_MAX_LEN 18

/* Storage that only the core looks into. */
#define WGC_OPAQUE(len) uint8_t opaque[len] __attribute__((aligned(8)))

struct wgc_identity { WGC_OPAQUE(72); };
struct wgc_handshake { WGC_OPAQUE(320); };
struct wgc_initiation { WGC_OPAQUE(192); };
struct wgc_session { WGC_OPAQUE(1152); };
struct wgc_cookie_checker { WGC_OPAQUE(128); };
struct wgc_cookie_jar { WGC_OPAQUE(144); };
struct wgc_timers { WGC_OPAQUE(128); };
struct wgc_trie { WGC_OPAQUE(48); };
struct wgc_trie_entry { WGC_OPAQUE(32); };

/* How many shared secrets are computed at once. */
#define WGC_SHARED_SECRETS_MAX 8

/*
 * The secrets, and room to compute them: too large for a kernel's stack. The
 * size is a power of two, which kmalloc() aligns accordingly.
 */
struct wgc_shared_secrets_work {
	uint8_t secret[WGC_SHARED_SECRETS_MAX][WGC_KEY_LEN];
	uint8_t opaque[3840];
} __attribute__((aligned(64)));

/**
 * enum wgc_status - the core's verdict on a message, a packet or a request
 *
 * Only WGC_OK is success. The glue turns each into a reason to drop (drops.c); none is an errno.
 */
enum wgc_status {
	WGC_OK = 0,
	WGC_BAD_LENGTH,		/* no message or packet has this length */
	WGC_BAD_TYPE,		/* unknown message type or reserved bytes set */
	WGC_BAD_MAC1,		/* not made for our public key */
	WGC_NEED_COOKIE,	/* mac1 is right, mac2 is not */
	WGC_BAD_COOKIE,		/* cookie reply that we did not ask for */
	WGC_BAD_STATE,		/* handshake is not at this step, or no identity */
	WGC_BAD_DH,		/* low-order public key: shared secret is zero */
	WGC_BAD_AEAD,		/* authentication failed */
	WGC_OLD_TIMESTAMP,	/* initiation replayed, or the sender's clock went back */
	WGC_FLOOD,		/* initiations of one peer come too fast */
	WGC_EXPIRED,		/* session too old or used up, or its key is gone */
	WGC_REPLAY,		/* counter seen before */
	WGC_TOO_OLD,		/* counter behind the replay window */
	WGC_BAD_INNER_VERSION,	/* inner packet is neither IPv4 nor IPv6 */
	WGC_BAD_INNER_LENGTH,	/* inner packet shorter than its header says */
	WGC_NUM_STATUS
};

enum wgc_message_type {
	WGC_MSG_INITIATION = 1,
	WGC_MSG_RESPONSE = 2,
	WGC_MSG_COOKIE_REPLY = 3,
	WGC_MSG_DATA = 4,
};

/* ---- the processor ------------------------------------------------------- */

/* What the core may use of it, OR-ed together. Without a call, nothing. */
enum wgc_cpu_feature {
	WGC_CPU_POPCNT = 1 << 0,
	WGC_CPU_AVX2 = 1 << 1,		/* with BMI2, and registers that the kernel saves */
	WGC_CPU_ADX = 1 << 2,		/* with BMI2; no vectors */
	WGC_CPU_AVX512 = 1 << 3,	/* AVX-512F and VL, where there is WGC_CPU_AVX2, too */
	WGC_CPU_NEON = 1 << 4,		/* arm64's vector registers */
	WGC_CPU_IFMA = 1 << 5,		/* AVX-512's, where there is WGC_CPU_AVX512, too */
};

/** wgc_cpu_set() - say what the processor has; once, before anything else */
void wgc_cpu_set(uint32_t features);

/**
 * wgc_cpu_choose() - the same, with a level of the cryptography that somebody asked for
 * @features: what the processor has
 * @level: a name that wgc_cpu_level() gives, or "auto" for the best one
 *
 * Return: false, and nothing has changed, when there is no such level on this processor.
 */
bool wgc_cpu_choose(uint32_t features, const char *level);

/**
 * wgc_cpu_level() - the levels of the cryptography that a processor with @features has
 * @index: from 0, which is "scalar"; each is faster than the one before
 *
 * Return: a name of less than 8 characters, or NULL when @index is beyond the last one.
 */
const char *wgc_cpu_level(uint32_t features, size_t index);

/** wgc_crypto_level() - what batches are sealed and opened with: a name of wgc_cpu_level() */
const char *wgc_crypto_level(void);

/**
 * wgc_x25519_level() - what handshakes multiply with: "portable" or "adx"; with "+ifma" where
 * wgc_shared_secrets() has something faster
 */
const char *wgc_x25519_level(void);

/* ---- self-test and keys -------------------------------------------------- */

/**
 * wgc_selftest() - run the known-answer tests of every primitive
 *
 * Return: NULL when all pass, else a constant string naming the first failure.
 */
const char *wgc_selftest(void);

/**
 * wgc_selftest_vectors() - the same for what works on several things at once
 * @work: room for it
 *
 * Context: vector registers may be touched.
 *
 * Return: NULL, or the name of what failed.
 */
const char *wgc_selftest_vectors(struct wgc_shared_secrets_work *work);

/** wgc_wipe() - overwrite @len bytes with zeros; never optimised away */
void wgc_wipe(void *data, size_t len);

/** wgc_equal() - whether two buffers are equal, in time that depends on @len only */
bool wgc_equal(const void *a, const void *b, size_t len);

/** wgc_key_clamp() - make 32 random bytes a Curve25519 private key (RFC 7748, 5) */
void wgc_key_clamp(uint8_t private_key[WGC_KEY_LEN]);

/** wgc_key_public() - derive the public key; @private_key is clamped on the fly */
void wgc_key_public(uint8_t public_key[WGC_KEY_LEN], const uint8_t private_key[WGC_KEY_LEN]);

/* ---- messages ------------------------------------------------------------ */

/**
 * wgc_message_classify() - find the type of a received message
 * @msg: its first 4 bytes at least
 * @len: its whole length; exact for types 1 to 3, 32 or more for data
 *
 * Return: WGC_OK and *@type, WGC_BAD_LENGTH or WGC_BAD_TYPE.
 */
enum wgc_status wgc_message_classify(const uint8_t *msg, size_t len, enum wgc_message_type *type);

/**
 * wgc_message_receiver() - the receiver index of a classified message
 * @msg: at least its first 16 bytes
 *
 * Return: the index in host order; 0 for an initiation, which has none.
 */
uint32_t wgc_message_receiver(enum wgc_message_type type, const uint8_t *msg);

/** wgc_message_sender() - the sender index of an initiation or response, in host order */
uint32_t wgc_message_sender(const uint8_t *msg);

/* ---- identity: a device's static key pair --------------------------------- */

/** wgc_identity_set() - take a private key (clamped here); all zeros or NULL removes it */
void wgc_identity_set(struct wgc_identity *id, const uint8_t *private_key);

/**
 * wgc_identity_get() - read the keys back
 * @private_key: 32 bytes or NULL
 * @public_key: 32 bytes or NULL
 *
 * Return: false, with both zeroed, when there is no identity.
 */
bool wgc_identity_get(const struct wgc_identity *id, uint8_t *private_key, uint8_t *public_key);

/** wgc_shared_secrets_want_vectors() - whether @num secrets are computed faster with them */
bool wgc_shared_secrets_want_vectors(size_t num);

/**
 * wgc_shared_secrets() - what an identity shares with each of some peers
 * @work: takes the secrets; the caller wipes it. All zeros is a peer whose key
 *	gives none, or no identity
 * @peer_public: @num pointers to WGC_KEY_LEN bytes
 * @num: up to WGC_SHARED_SECRETS_MAX
 * @may_use_vectors: vector registers may be touched
 *
 * Context: the identity lock.
 */
void wgc_shared_secrets(struct wgc_shared_secrets_work *work, const struct wgc_identity *id,
			const uint8_t *const *peer_public, size_t num, bool may_use_vectors);

/* ---- handshake: Noise_IKpsk2 (the paper, 5.4; Noise, 7.5) ----------------- */

/**
 * wgc_handshake_init() - start out for one peer
 * @psk: 32 bytes, or NULL for none (all zeros)
 *
 * Precomputes the static-static shared secret. A low-order @peer_public is
 * accepted here; every handshake with it fails with WGC_BAD_DH.
 */
void wgc_handshake_init(struct wgc_handshake *hs, const struct wgc_identity *id,
			const uint8_t peer_public[WGC_KEY_LEN], const uint8_t *psk);

/**
 * wgc_handshake_set_identity() - the device has a new key
 * @shared_secret: what wgc_shared_secrets() has for this peer and @id, or NULL:
 *	it is computed here
 *
 * Wipes a handshake in progress. Context: handshake lock.
 */
void wgc_handshake_set_identity(struct wgc_handshake *hs, const struct wgc_identity *id,
				const uint8_t *shared_secret);

/** wgc_handshake_set_psk() - NULL means none. Context: handshake lock. */
void wgc_handshake_set_psk(struct wgc_handshake *hs, const uint8_t *psk);

/** wgc_handshake_get_psk() - all zeros when there is none. Context: handshake lock. */
void wgc_handshake_get_psk(const struct wgc_handshake *hs, uint8_t psk[WGC_KEY_LEN]);

/** wgc_handshake_clear() - wipe a handshake in progress; keeps keys, psk, last timestamp */
void wgc_handshake_clear(struct wgc_handshake *hs);

/**
 * wgc_handshake_create_initiation() - first message, without its macs
 * @msg: WGC_INITIATION_LEN bytes; macs are left zero for wgc_cookie_add_macs()
 * @sender_index: our new index, host order
 * @ephemeral: 32 random bytes; wiped by the caller
 *
 * Replaces any handshake in progress. On failure it is wiped.
 * Context: handshake lock and the identity lock for reading.
 *
 * Return: WGC_OK, WGC_BAD_STATE (no identity) or WGC_BAD_DH.
 */
enum wgc_status wgc_handshake_create_initiation(struct wgc_handshake *hs, uint8_t *msg,
						const struct wgc_identity *id,
						uint32_t sender_index,
						const uint8_t ephemeral[WGC_KEY_LEN],
						uint64_t unix_ns);

/**
 * wgc_initiation_open() - decrypt who is calling
 * @init: filled for wgc_initiation_accept(); holds secrets: wgc_wipe() it on every path
 * @peer_public: the caller's static public key, proven only by wgc_initiation_accept()
 * @msg: WGC_INITIATION_LEN bytes whose mac1 has been checked
 *
 * Context: the identity lock for reading.
 *
 * Return: WGC_OK, WGC_BAD_STATE, WGC_BAD_DH or WGC_BAD_AEAD (then @init is wiped).
 */
enum wgc_status wgc_initiation_open(struct wgc_initiation *init, uint8_t peer_public[WGC_KEY_LEN],
				    const struct wgc_identity *id, const uint8_t *msg);

/**
 * wgc_initiation_accept() - check the timestamp and take the initiation over
 *
 * On failure @hs is as it was. Timestamp and flood checks and the change are one
 * step under one lock, so two copies of a message cannot both pass.
 * Context: handshake lock.
 *
 * Return: WGC_OK, WGC_BAD_STATE (other peer's key), WGC_BAD_DH, WGC_BAD_AEAD,
 * WGC_OLD_TIMESTAMP or WGC_FLOOD (less than 20 ms after the last one accepted).
 */
enum wgc_status wgc_initiation_accept(struct wgc_handshake *hs, const struct wgc_initiation *init,
				      uint64_t now_ns);

/**
 * wgc_handshake_create_response() - second message, without its macs
 * @msg: WGC_RESPONSE_LEN bytes
 *
 * Context: handshake lock. On failure the handshake is wiped.
 *
 * Return: WGC_OK, WGC_BAD_STATE or WGC_BAD_DH.
 */
enum wgc_status wgc_handshake_create_response(struct wgc_handshake *hs, uint8_t *msg,
					      uint32_t sender_index,
					      const uint8_t ephemeral[WGC_KEY_LEN]);

/**
 * wgc_handshake_consume_response() - check the answer to our initiation
 *
 * The whole step runs under one lock, so one response can start one session only.
 * On failure @hs is as it was. Context: handshake lock, identity lock for reading.
 *
 * Return: WGC_OK, WGC_BAD_STATE, WGC_BAD_DH or WGC_BAD_AEAD.
 */
enum wgc_status wgc_handshake_consume_response(struct wgc_handshake *hs,
					       const struct wgc_identity *id, const uint8_t *msg);

/**
 * wgc_handshake_begin_session() - derive transport keys, wipe the handshake
 *
 * Context: handshake lock.
 *
 * Return: WGC_OK, or WGC_BAD_STATE when no handshake has got that far.
 */
enum wgc_status wgc_handshake_begin_session(struct wgc_handshake *hs, struct wgc_session *session,
					    uint64_t now_ns);

/* ---- session: transport keys (the paper, 5.4.6) ---------------------------- */

/** wgc_session_is_initiator() - whether we sent the initiation */
bool wgc_session_is_initiator(const struct wgc_session *session);

/** wgc_session_birth_ns() - boot time at which the session began */
uint64_t wgc_session_birth_ns(const struct wgc_session *session);

/**
 * wgc_session_may_send() - whether packets up to @last_counter may still be sealed
 *
 * Return: WGC_OK or WGC_EXPIRED (age 180 s, REJECT_AFTER_MESSAGES, key removed).
 */
enum wgc_status wgc_session_may_send(const struct wgc_session *session, uint64_t last_counter,
				     uint64_t now_ns);

/** wgc_session_rekey_on_send() - a new handshake is due: 120 s as initiator, or 2^60 messages */
bool wgc_session_rekey_on_send(const struct wgc_session *session, uint64_t next_counter,
			       uint64_t now_ns);

/** wgc_session_rekey_on_receive() - true once, for an initiator's session older than 165 s */
bool wgc_session_rekey_on_receive(struct wgc_session *session, uint64_t now_ns);

/**
 * wgc_session_seal() - make a data message in place
 * @packet: 16 bytes for the header, @plain_len bytes of padded plaintext, 16 for the tag
 * @counter: reserved by the caller, never used twice
 *
 * Context: any; several packets of one session in parallel.
 */
void wgc_session_seal(const struct wgc_session *session, uint8_t *packet, size_t plain_len,
		      uint64_t counter);

/**
 * wgc_session_open() - authenticate and decrypt a data message in place
 * @packet: whole message of @len bytes; the plaintext lies at offset 16, @len - 32 bytes
 * @counter: its counter, for wgc_session_accept()
 *
 * Context: any; several packets of one session in parallel.
 *
 * Return: WGC_OK, WGC_BAD_LENGTH, WGC_EXPIRED or WGC_BAD_AEAD.
 */
enum wgc_status wgc_session_open(const struct wgc_session *session, uint8_t *packet, size_t len,
				 uint64_t *counter, uint64_t now_ns);

/** struct wgc_segment - part of a text that is to be sealed; @len may be 0 */
struct wgc_segment {
	const uint8_t *data;
	size_t len;
};

/**
 * struct wgc_data_packet - one data message of a batch
 *
 * @message is 16 bytes of header, @text_len bytes, 16 of tag. @text is @message + 16 when the work
 * is done in place, and does not overlap the message otherwise. Sessions may differ.
 *
 * For sealing, if @segments is not NULL, the text is there and @text is not looked at: in parts of
 * together @text_len bytes, in their order. A part either is in the message already, where the
 * order puts it, or does not overlap the message. They are read once. Opening ignores @segments.
 */
struct wgc_data_packet {
	const struct wgc_session *session;
	uint8_t *message;
	uint8_t *text;
	size_t text_len;
	uint64_t counter;
	enum wgc_status status;
	const struct wgc_segment *segments;
};

/* A batch of more packets is worked on in parts of as many. */
#define WGC_BATCH_LEN 8

/**
 * wgc_session_seal_batch() - make data messages of @text; see wgc_session_seal()
 * @may_use_vectors: the caller has made sure that vector registers may be touched, and
 *	bounds how long they are by the length of the batch
 *
 * Context: any; several batches of one session in parallel.
 */
void wgc_session_seal_batch(const struct wgc_data_packet *packets, size_t num,
			    bool may_use_vectors);

/**
 * wgc_session_open_batch() - authenticate and decrypt data messages; see wgc_session_open()
 *
 * Fills @counter and @status of each. A text that is not authentic is zeros; one that was not
 * looked at (WGC_EXPIRED) is as it was. What one packet is does not touch the others.
 */
void wgc_session_open_batch(struct wgc_data_packet *packets, size_t num, uint64_t now_ns,
			    bool may_use_vectors);

/**
 * wgc_session_accept() - replay check (RFC 6479) of an authenticated counter
 *
 * Context: the session's receive lock.
 *
 * Return: WGC_OK, WGC_REPLAY, WGC_TOO_OLD or WGC_EXPIRED.
 */
enum wgc_status wgc_session_accept(struct wgc_session *session, uint64_t counter);

/** wgc_session_stop_sending() - no further seal is allowed; receiving goes on. Any context. */
void wgc_session_stop_sending(struct wgc_session *session);

/* ---- keypair slots (the paper, 5.4.6 and 6.3) ------------------------------- */

/**
 * struct wgc_keyslots - a peer's three keypairs; C owns what they point to
 *
 * The functions work on a local copy made under the caller's lock; @dropped gets the
 * pointers that left a slot, for the caller to release after publishing the copy.
 */
struct wgc_keyslots {
	void *next_key;
	void *current_key;
	void *previous_key;
};

struct wgc_dropped {
	void *keys[3];
	uint32_t num_keys;
};

/** wgc_keyslots_install() - a new keypair: an initiator may use it at once, a responder waits */
void wgc_keyslots_install(struct wgc_keyslots *slots, struct wgc_dropped *dropped, void *key,
			  bool is_initiator);

/** wgc_keyslots_confirm() - data came in under @key. Return: true if next became current. */
bool wgc_keyslots_confirm(struct wgc_keyslots *slots, struct wgc_dropped *dropped, void *key);

/** wgc_keyslots_clear() - empty all slots, next first */
void wgc_keyslots_clear(struct wgc_keyslots *slots, struct wgc_dropped *dropped);

/* ---- cookies and macs (the paper, 5.4.4 and 5.4.7) --------------------------- */

/** wgc_cookie_checker_init() - a device's side. @secret: 32 random bytes. */
void wgc_cookie_checker_init(struct wgc_cookie_checker *checker,
			     const uint8_t secret[WGC_KEY_LEN], uint64_t now_ns);

/** wgc_cookie_checker_set_identity() - the device has a new key. Context: checker lock. */
void wgc_cookie_checker_set_identity(struct wgc_cookie_checker *checker,
				     const struct wgc_identity *id);

/** wgc_cookie_secret_expired() - older than 120 s: call wgc_cookie_secret_renew() */
bool wgc_cookie_secret_expired(const struct wgc_cookie_checker *checker, uint64_t now_ns);

/** wgc_cookie_secret_renew() - Context: checker lock for writing. @secret: 32 random bytes. */
void wgc_cookie_secret_renew(struct wgc_cookie_checker *checker,
			     const uint8_t secret[WGC_KEY_LEN], uint64_t now_ns);

/**
 * wgc_cookie_check() - check the macs of an initiation or response
 * @source: address and port that the message came from, @source_len bytes (6 or 18)
 *
 * Context: checker lock for reading.
 *
 * Return: WGC_OK (mac1 right and mac2 right), WGC_NEED_COOKIE (mac1 right only; that is
 * enough when not under load) or WGC_BAD_MAC1. An expired secret never gives WGC_OK.
 */
enum wgc_status wgc_cookie_check(const struct wgc_cookie_checker *checker, const uint8_t *msg,
				 size_t len, const uint8_t *source, size_t source_len,
				 uint64_t now_ns);

/**
 * wgc_cookie_create_reply() - answer a message that lacks a cookie
 * @reply: WGC_COOKIE_REPLY_LEN bytes
 * @msg: the offending initiation or response of @len bytes
 * @nonce: 24 random bytes
 *
 * Context: checker lock for reading.
 */
void wgc_cookie_create_reply(const struct wgc_cookie_checker *checker, uint8_t *reply,
			     const uint8_t *msg, size_t len, const uint8_t *source,
			     size_t source_len, const uint8_t nonce[WGC_COOKIE_NONCE_LEN]);

/** wgc_cookie_jar_init() - a peer's side, for messages that we send to it */
void wgc_cookie_jar_init(struct wgc_cookie_jar *jar, const uint8_t peer_public[WGC_KEY_LEN]);

/**
 * wgc_cookie_add_macs() - fill mac1, and mac2 when a fresh cookie is there
 *
 * Context: jar lock for writing (remembers mac1).
 */
void wgc_cookie_add_macs(struct wgc_cookie_jar *jar, uint8_t *msg, size_t len, uint64_t now_ns);

/**
 * wgc_cookie_consume_reply() - take the cookie out of a reply
 * @reply: WGC_COOKIE_REPLY_LEN bytes
 *
 * Accepted once per mac1 sent. Context: jar lock for writing.
 *
 * Return: WGC_OK, WGC_BAD_COOKIE (nothing asked for) or WGC_BAD_AEAD.
 */
enum wgc_status wgc_cookie_consume_reply(struct wgc_cookie_jar *jar, const uint8_t *reply,
					 uint64_t now_ns);

/* ---- limits ------------------------------------------------------------------- */

/** struct wgc_bucket - token bucket: 20 handshake messages/s, burst of 5, per source */
struct wgc_bucket {
	uint64_t last_ns;
	uint64_t tokens_ns;
};

/** wgc_bucket_init() - a full bucket, from which the first token is already taken */
void wgc_bucket_init(struct wgc_bucket *bucket, uint64_t now_ns);

/** wgc_bucket_take() - Context: bucket lock. Return: false when the source is too fast. */
bool wgc_bucket_take(struct wgc_bucket *bucket, uint64_t now_ns);

/** wgc_bucket_idle() - unused for over 1 s: may be forgotten */
bool wgc_bucket_idle(const struct wgc_bucket *bucket, uint64_t now_ns);

/* ---- timers (the paper, 6) ------------------------------------------------------ */

/* Events, OR-ed together into one call per batch. */
enum wgc_timer_event {
	WGC_EV_DATA_SENT = 1 << 0,	/* data that is not a keepalive */
	WGC_EV_DATA_RECEIVED = 1 << 1,	/* data that is not a keepalive */
	WGC_EV_ANY_SENT = 1 << 2,	/* any authenticated message, handshakes too */
	WGC_EV_ANY_RECEIVED = 1 << 3,	/* any authenticated message, handshakes too */
	WGC_EV_INITIATION_SENT = 1 << 4,
	WGC_EV_RESPONSE_SENT = 1 << 5,
	WGC_EV_HANDSHAKE_COMPLETE = 1 << 6,
	WGC_EV_SESSION_DERIVED = 1 << 7,
};

/* Actions that have come due, for the glue to carry out in this order. */
enum wgc_timer_action {
	WGC_ACT_PURGE_STAGED = 1 << 0,	/* gave up: drop packets that wait for a session */
	WGC_ACT_CLEAR_SOURCE = 1 << 1,	/* forget the cached source address */
	WGC_ACT_INITIATE = 1 << 2,	/* send a handshake initiation */
	WGC_ACT_RETRY = 1 << 3,		/* with WGC_ACT_INITIATE: it is a retry */
	WGC_ACT_KEEPALIVE = 1 << 4,	/* send an empty packet */
	WGC_ACT_ZERO_KEYS = 1 << 5,	/* wipe handshake and keypairs */
};

#define WGC_NO_DEADLINE (~(uint64_t)0)

/** wgc_timers_init() - nothing armed, an initiation may be sent at once */
void wgc_timers_init(struct wgc_timers *timers);

/** wgc_timers_stop() - disarm all; keeps the persistent keepalive interval */
void wgc_timers_stop(struct wgc_timers *timers);

/**
 * wgc_timers_event() - something happened
 * @events: OR of enum wgc_timer_event
 * @random: 32 random bits for jitter
 *
 * Context: the peer's timer lock, as for all wgc_timers_ functions.
 *
 * Return: the earliest deadline in boot time, or WGC_NO_DEADLINE. The caller may
 * wake up early: wgc_timers_expire() then does nothing and names the deadline again.
 */
uint64_t wgc_timers_event(struct wgc_timers *timers, uint32_t events, uint32_t random,
			  uint64_t now_ns);

/**
 * wgc_timers_expire() - find what has come due
 * @deadline_ns: the next deadline, or WGC_NO_DEADLINE
 *
 * Return: OR of enum wgc_timer_action.
 */
uint32_t wgc_timers_expire(struct wgc_timers *timers, uint64_t *deadline_ns, uint64_t now_ns);

/**
 * wgc_timers_begin_initiation() - ask leave to send an initiation
 * @is_retry: false starts the count of attempts anew
 *
 * Return: false within REKEY_TIMEOUT (5 s) of the last initiation or response;
 * true counts as sent at @now_ns.
 */
bool wgc_timers_begin_initiation(struct wgc_timers *timers, bool is_retry, uint64_t now_ns);

/** wgc_timers_may_initiate() - the same question without taking the leave */
bool wgc_timers_may_initiate(const struct wgc_timers *timers, uint64_t now_ns);

/** wgc_timers_forget_initiation() - the next initiation may be sent at once */
void wgc_timers_forget_initiation(struct wgc_timers *timers);

/** wgc_timers_set_persistent() - @seconds between persistent keepalives, 0 for none */
void wgc_timers_set_persistent(struct wgc_timers *timers, uint16_t seconds);

/** wgc_timers_attempts() - initiations sent for the handshake under way; 0 when there is none */
uint32_t wgc_timers_attempts(const struct wgc_timers *timers);

/** wgc_timers_persistent() - the interval in seconds, 0 for none */
uint16_t wgc_timers_persistent(const struct wgc_timers *timers);

/* ---- inner packets ------------------------------------------------------------- */

/** struct wgc_inner - what the header of an inner IP packet says; pointers into it */
struct wgc_inner {
	const uint8_t *source;
	const uint8_t *destination;
	uint32_t total_len;	/* header and payload, bytes */
	uint8_t addr_len;	/* 4 or 16 */
	uint8_t ds_field;	/* DSCP and ECN byte */
};

/**
 * wgc_inner_parse() - read the IP header at the start of @data
 * @data_len: bytes that may be read
 * @packet_len: length of the packet (@data_len or more)
 *
 * Return: WGC_OK, WGC_BAD_INNER_VERSION, or WGC_BAD_INNER_LENGTH when the header does
 * not fit or names more bytes than @packet_len or fewer than its own header.
 */
enum wgc_status wgc_inner_parse(const uint8_t *data, size_t data_len, size_t packet_len,
				struct wgc_inner *inner);

/**
 * wgc_padding_len() - zeros to append before sealing: up to a multiple of 16, not past the MTU
 * @mtu: of the inner route in bytes, 0 for no limit
 */
uint32_t wgc_padding_len(uint32_t packet_len, uint32_t mtu);

/* ---- AllowedIPs ------------------------------------------------------------------ */

/** struct wgc_prefix - network byte order; host bits are ignored on input, zero on output */
struct wgc_prefix {
	uint8_t addr[16];
	uint8_t addr_len;	/* 4 or 16 */
	uint8_t cidr;		/* 0 to 32 or 0 to 128 */
};

/*
 * A prefix in a trie is a struct wgc_trie_entry, which the caller allocates. For IPv4 the storage
 * may end after WGC_TRIE_ENTRY_LEN(4) bytes. What leads to the entries is made of blocks, which
 * the caller allocates too.
 */
#define WGC_TRIE_ENTRY_LEN(addr_len) ((addr_len) == 4 ? 16 : 32)

/* What a block begins with. */
struct wgc_trie_block {
	void *next;		/* the caller's, whenever the block is out of the trie */
	uint32_t len;		/* what was asked for; the core's */
	uint32_t unused;
};

/* An insertion needs no more blocks, */
#define WGC_TRIE_PLAN_BLOCKS 4
/* and none is longer. */
#define WGC_TRIE_BLOCK_MAX_LEN 8288
/*
 * Blocks of 256 whole addresses in a row have this length. It is little more than a page, for
 * which a general allocator gives two.
 */
#define WGC_TRIE_FULL_BLOCK_LEN 4208

/* What the next insertion of a prefix needs. Valid until the next update. */
struct wgc_trie_plan {
	struct wgc_trie_entry *entry;	/* it is there: call wgc_trie_assign() instead */
	uint32_t len[WGC_TRIE_PLAN_BLOCKS];	/* bytes of blocks to allocate, 0 for none */
	WGC_OPAQUE(24);
};

/* Out of the trie: free them after a grace period, and leave them as they are until then. */
struct wgc_trie_freed {
	struct wgc_trie_block *blocks[2];
	uint32_t num_blocks;
	uint32_t compact_len;	/* after a removal, if not 0: see wgc_trie_compact() */
};

/** wgc_trie_init() - an empty trie */
void wgc_trie_init(struct wgc_trie *trie);

/**
 * wgc_trie_lookup() - longest-prefix match
 * @addr: 4 or 16 bytes in network order
 *
 * Context: RCU read side, or the update lock.
 *
 * Return: the value of the longest prefix that covers @addr, or NULL.
 */
void *wgc_trie_lookup(const struct wgc_trie *trie, const uint8_t *addr, uint8_t addr_len);

/**
 * wgc_trie_lookup_batch() - the same for @num addresses of one length
 * @values: @num results
 *
 * Faster than one by one when the table is larger than the caches: what the searches need from
 * memory is fetched side by side. Context: RCU read side, or the update lock.
 */
void wgc_trie_lookup_batch(const struct wgc_trie *trie, const uint8_t *const *addrs,
			   uint8_t addr_len, void **values, size_t num);

/** wgc_trie_find() - the entry of exactly this prefix, or NULL. Context: update lock. */
struct wgc_trie_entry *wgc_trie_find(const struct wgc_trie *trie, const struct wgc_prefix *prefix);

/** wgc_trie_prepare() - what it takes to insert @prefix. Context: update lock. */
void wgc_trie_prepare(const struct wgc_trie *trie, struct wgc_trie_plan *plan,
		      const struct wgc_prefix *prefix);

/**
 * wgc_trie_insert() - put a prefix in that is not there
 * @plan: of this prefix
 * @entry: takes the prefix; the trie's until it is removed
 * @value: not NULL, a multiple of 4
 * @blocks: of the lengths planned, aligned to 8 bytes
 *
 * Cannot fail. Readers see the state before or after, never a mixture.
 * Context: update lock.
 */
void wgc_trie_insert(struct wgc_trie *trie, const struct wgc_trie_plan *plan,
		     struct wgc_trie_entry *entry, const struct wgc_prefix *prefix, void *value,
		     void *const blocks[WGC_TRIE_PLAN_BLOCKS], struct wgc_trie_freed *freed);

/** wgc_trie_assign() - another value for an entry that is in the trie. Context: update lock. */
void wgc_trie_assign(struct wgc_trie *trie, struct wgc_trie_entry *entry, void *value);

/**
 * wgc_trie_remove() - take an entry that is in the trie out of it
 *
 * Needs no memory, and leaves a gap where the entry was. The entry, too, has to outlast a grace
 * period. Context: update lock.
 */
void wgc_trie_remove(struct wgc_trie *trie, struct wgc_trie_entry *entry,
		     struct wgc_trie_freed *freed);

/**
 * wgc_trie_compact() - close the gaps that removals have left
 * @prefix: the one that has just been removed
 * @block: of the compact_len bytes that the removal asked for, with no update in between
 *
 * Optional: lookups are right without. Context: update lock.
 */
void wgc_trie_compact(struct wgc_trie *trie, const struct wgc_prefix *prefix, void *block,
		      struct wgc_trie_freed *freed);

/** wgc_trie_entry_value() - Context: update lock. */
void *wgc_trie_entry_value(const struct wgc_trie_entry *entry);

/** wgc_trie_entry_prefix() - any time between insertion and freeing. */
void wgc_trie_entry_prefix(const struct wgc_trie_entry *entry, struct wgc_prefix *prefix);

#ifdef __cplusplus
}
#endif
#endif /* WGCORE_H */
