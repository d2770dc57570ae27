//! Every bound of the system in one place, with the relations between them asserted at compile time.
//!
//! A number that bounds a queue, a buffer, a batch or a loop stands here with its reason; what an operator may change
//! is a setting of `config` whose default or ceiling stands here.

/// Cores of one node. Core ports are handed out in blocks of this many, and a core fits a byte on the wire.
pub const CORES_MAX: usize = 64;

/// Hash slots of the keyspace, fixed by the Redis Cluster protocol.
pub const SLOTS: u16 = 16384;

/// Databases of a node (`databases`); SELECT accepts 0 to this less one.
pub const DATABASES_DEFAULT: usize = 16;

/// Bytes of one inline command or of one protocol line, as in Redis.
pub const INLINE_BYTES_MAX: usize = 64 * 1024;

/// Arguments of one request, as in Redis (1024 * 1024).
pub const ARGUMENTS_MAX: usize = 1024 * 1024;

/// Bytes of one bulk string unless `proto-max-bulk-len` says otherwise, as in Redis (512 MiB).
pub const BULK_BYTES_MAX_DEFAULT: usize = 512 * 1024 * 1024;

/// Values above this are reference-counted, shared with the kernel while they are sent, and never run under a lease.
pub const LARGE_VALUE_BYTES: usize = 16 * 1024;

/// Bytes of one whole request: arguments are found by 32-bit offsets. A claim beyond it is an invalid bulk length.
pub const REQUEST_BYTES_MAX: usize = u32::MAX as usize;

/// Arguments of one request before the client has authenticated, as in Redis: enough for HELLO with all its options.
pub const UNAUTHENTICATED_ARGUMENTS_MAX: usize = 10;

/// Bytes of one bulk string before the client has authenticated, as in Redis.
pub const UNAUTHENTICATED_BULK_BYTES_MAX: usize = 16 * 1024;

/// Argument places (8 bytes each) that a parser keeps between requests: half of what an idle connection may cost.
pub const SPANS_KEPT_MAX: usize = 64;

/// A parser asks for this much room on a client's word alone; beyond it, for no more than has already come.
pub const CLAIM_BYTES_MAX: usize = 64 * 1024;

const _: () = assert!(CORES_MAX <= u8::MAX as usize + 1);
const _: () = assert!(SLOTS.is_power_of_two());
const _: () = assert!(LARGE_VALUE_BYTES < BULK_BYTES_MAX_DEFAULT);

/// Entries of a core's submission queue. A turn that needs more submits in between, so this is no limit on a turn.
pub const RING_SUBMISSIONS: u32 = 1024;

/// Entries of a core's completion queue: a full pool of receives and a failed send for every submission, with room.
/// What does not fit waits in the kernel and is fetched by the next turn.
pub const RING_COMPLETIONS: u32 = 4 * RING_SUBMISSIONS;

/// Receive buffers of a core, and the bytes of each. All connections share them: they come back within the turn.
pub const RECEIVE_BUFFERS: u16 = 256;
/// See [`RECEIVE_BUFFERS`].
pub const RECEIVE_BUFFER_BYTES: u32 = 16 * 1024;

/// How often the kernel reads one socket before it turns to the next (`MULTISHOT_MAX_RETRY` of Linux).
pub const RECEIVES_PER_WAKE_MAX: u16 = 32;

/// Slices of one vectored send; the rest of the output follows with the next one.
pub const SEND_PIECES_MAX: usize = 64;

/// Bytes of one send: the length of a submission is 32 bits wide, and one connection should not hold up a turn.
pub const SEND_BYTES_MAX: usize = 1 << 30;

/// Emptied output buffers that a core keeps for reuse, and the largest that is kept.
pub const SPARE_OUTPUTS_MAX: usize = 128;
/// See [`SPARE_OUTPUTS_MAX`].
pub const SPARE_OUTPUT_BYTES_MAX: usize = 16 * 1024;

/// A batching wait asks for up to this many completions ...
pub const BATCH_WANT_MAX: u32 = 32;
/// ... for this long, and only while more than [`BATCH_EXPECTED_MIN`] are expected in that time. Measured: waits of 20,
/// 100 and 200 us were worse in one figure or another.
pub const BATCH_WAIT_US: u32 = 50;
/// See [`BATCH_WAIT_US`].
pub const BATCH_EXPECTED_MIN: u32 = 3;
/// A batching wait needs more active clients than this. Measured in CPU per request, with and without: 8.1 and 6.1 us
/// with 8 clients, 6.4 and 6.2 with 16, 5.4 and 6.1 with 50.
pub const BATCH_CLIENTS_MIN: u32 = 16;
/// How long the rate of completions is measured: many waits, and short beside anything that a person notices.
pub const BATCH_WINDOW_US: u64 = 1000;

/// How long accepting rests after the process ran out of descriptors or memory, in milliseconds.
pub const ACCEPT_REST_MS: u64 = 100;
/// The same for a core that is too busy to wait, in turns.
pub const ACCEPT_REST_TURNS: u16 = 1000;

/// Connections of one core: the width of the index in a completion's token.
pub const CONNECTIONS_MAX: usize = 1 << 28;

const _: () = assert!(RECEIVE_BUFFERS.is_power_of_two() && RECEIVE_BUFFERS <= 32768);
// No connection holds more than an eighth of the pool: the kernel leaves a socket after this many reads, and every
// buffer is back before the kernel is entered again.
const _: () = assert!(RECEIVES_PER_WAKE_MAX as usize * 8 <= RECEIVE_BUFFERS as usize);
const _: () = assert!(RING_COMPLETIONS as usize >= RECEIVE_BUFFERS as usize + RING_SUBMISSIONS as usize);
const _: () = assert!(SEND_BYTES_MAX <= i32::MAX as usize);
const _: () = assert!(CORES_MAX <= u64::BITS as usize, "bells to ring are a bit mask");

const _: () = assert!(BULK_BYTES_MAX_DEFAULT < REQUEST_BYTES_MAX && ARGUMENTS_MAX <= i32::MAX as usize);
const _: () = assert!(UNAUTHENTICATED_ARGUMENTS_MAX < ARGUMENTS_MAX);
const _: () = assert!(UNAUTHENTICATED_BULK_BYTES_MAX < BULK_BYTES_MAX_DEFAULT);
const _: () = assert!(SPANS_KEPT_MAX * 8 <= 512 && CLAIM_BYTES_MAX >= LARGE_VALUE_BYTES);
