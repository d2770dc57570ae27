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

/// Bytes of an inline request without its quotes that a parser keeps room for between requests.
pub const UNQUOTED_KEPT_MAX: usize = 64;

/// A parser asks for this much room on a client's word alone; beyond it, for no more than has already come.
pub const CLAIM_BYTES_MAX: usize = 64 * 1024;
/// Batches that one core may have in the mail to another; a power of two. A core posts at most one batch per target and
/// turn, so a full ring means that the target has not looked for this many turns: a longer ring would not be read any
/// sooner, while the batch held back goes on filling. Eight pointers are one cache line.
pub const MAIL_RING_BATCHES: usize = 8;

/// Requests that one core may have under way to another, each with the place of its reply reserved. At a third of a
/// microsecond each they fill most of the owner's longest turn (500 us); more would only wait.
pub const MAIL_CREDITS: u32 = 1024;

/// Spin hints that a waking owner gives while its shard is lent: about a microsecond at 40 to 140 cycles each.
pub const LEASE_RECLAIM_SPINS: u32 = 32;

/// Bytes that a command may make a string grow to, however large `proto-max-bulk-len` is: 2^35 bits.
pub const STRING_BYTES_MAX: usize = 4 << 30;

/// Room that a growing string gets beyond what it needs: as much again, but at most this, as in Redis (1 MiB).
pub const STRING_SPARE_BYTES_MAX: usize = 1024 * 1024;

const _: () = assert!(BULK_BYTES_MAX_DEFAULT <= STRING_BYTES_MAX && STRING_BYTES_MAX.is_power_of_two());
const _: () = assert!(CORES_MAX <= u8::MAX as usize + 1);
const _: () = assert!(CORES_MAX <= u64::BITS as usize, "a set of cores is one word");
const _: () = assert!(MAIL_RING_BATCHES.is_power_of_two());
const _: () = assert!(MAIL_CREDITS as usize >= MAIL_RING_BATCHES);
const _: () = assert!(SLOTS.is_power_of_two());
const _: () = assert!(LARGE_VALUE_BYTES < BULK_BYTES_MAX_DEFAULT);

/// Entries of a core's submission queue. A turn that needs more submits in between, so this is no limit on a turn.
pub const RING_SUBMISSIONS: u32 = 1024;

/// Entries of a core's completion queue: a full pool of receives and a failed send for every submission, with room.
/// What does not fit waits in the kernel and is fetched by the next turn.
pub const RING_COMPLETIONS: u32 = 4 * RING_SUBMISSIONS;

/// Receive buffers of a core, and the bytes of each. All connections share them: they come back within the turn. An eighth
/// is in use until more are needed.
pub const RECEIVE_BUFFERS: u16 = 256;
/// See [`RECEIVE_BUFFERS`].
pub const RECEIVE_BUFFER_BYTES: u32 = 16 * 1024;

/// How often the kernel reads one socket before it turns to the next (`MULTISHOT_MAX_RETRY` of Linux).
const RECEIVES_PER_WAKE_MAX: u16 = 32;

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
/// ... for as long as this many take to come at the present rate,
pub const BATCH_EXPECTED: u32 = 12;
/// ... but not less than this, in microseconds,
pub const BATCH_WAIT_US_MIN: u64 = 50;
/// ... nor more than this. Measured with two cores and the client on the same two CPUs, at one request per connection:
/// up to 150 us of waiting cost 6.6 us of CPU per operation at 86,000 a second, up to 250 us 6.1 us at 91,000.
pub const BATCH_WAIT_US_MAX: u64 = 250;
/// Not at all, if even the longest wait would bring no more than this many.
pub const BATCH_EXPECTED_MIN: u32 = 3;
/// A batching wait needs more active clients than this. Measured in CPU per request, with and without: 8.1 and 6.1 us
/// with 8 clients, 6.4 and 6.2 with 16, 5.4 and 6.1 with 50.
pub const BATCH_CLIENTS_MIN: u32 = 16;
/// Nor is there any for clients that, in the mean, ask again only after longer than this. Measured in an open loop of
/// 40,000 requests a second over 50 connections, each of which asks every 1250 us: a median latency of 0.40 ms with the
/// wait and 0.14 without. With 50 connections that ask when they are answered it is some 500 us.
pub const BATCH_CYCLE_US_MAX: u64 = 900;
/// How long the rate of completions is measured: many waits, and short beside anything that a person notices.
pub const BATCH_WINDOW_US: u64 = 1000;

/// How long accepting rests after the process ran out of descriptors or memory, in milliseconds.
pub const ACCEPT_REST_MS: u64 = 100;
/// The same for a core that is too busy to wait, in turns.
pub const ACCEPT_REST_TURNS: u16 = 1000;

/// Connections of one core: the width of the index in a completion's token.
pub const CONNECTIONS_MAX: usize = 1 << 28;

const _: () = assert!(RECEIVE_BUFFERS.is_power_of_two() && RECEIVE_BUFFERS <= 32768);
// One enter gives a connection no more than an eighth of the pool, as the kernel leaves a socket after this many reads.
const _: () = assert!(RECEIVES_PER_WAKE_MAX as usize * 8 <= RECEIVE_BUFFERS as usize);
// What is left to the next turn leaves most of the pool to that turn.
const _: () = assert!(EVENTS_LEFT_MAX * 4 <= RECEIVE_BUFFERS as usize);
const _: () = assert!(RING_COMPLETIONS as usize >= RECEIVE_BUFFERS as usize + RING_SUBMISSIONS as usize);
const _: () = assert!(SEND_BYTES_MAX <= i32::MAX as usize);
const _: () = assert!(CORES_MAX <= u64::BITS as usize, "bells to ring are a bit mask");

const _: () = assert!(BULK_BYTES_MAX_DEFAULT < REQUEST_BYTES_MAX && ARGUMENTS_MAX <= i32::MAX as usize);
const _: () = assert!(UNAUTHENTICATED_ARGUMENTS_MAX < ARGUMENTS_MAX);
const _: () = assert!(UNAUTHENTICATED_BULK_BYTES_MAX < BULK_BYTES_MAX_DEFAULT);
const _: () = assert!(SPANS_KEPT_MAX * 8 <= 512 && CLAIM_BYTES_MAX >= LARGE_VALUE_BYTES);
/// Databases that `databases` may ask for: every core has a table for each, and an identifier of 16 bits.
pub const DATABASES_MAX: usize = 16384;

/// Keys that `maxmemory-samples` may ask for, as in Redis: a write that evicts looks at as many before it is answered.
pub const EVICTION_SAMPLES_MAX: usize = 64;

/// Addresses of `bind`, as in Redis; each costs every core a listening socket.
pub const BIND_ADDRESSES_MAX: usize = 16;

/// Highest CPU number of `cpus`: what the kernel's plain affinity mask (1024 bits) holds.
pub const CPU_NUMBER_MAX: u16 = 1023;

/// Bytes of a Unix socket's path: `sockaddr_un` has 108, and one ends it.
pub const SOCKET_PATH_BYTES_MAX: usize = 107;

/// Bytes of a configuration file; what is longer is some other file.
pub const CONFIG_FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Open files that a core needs beside its clients: the rings of its executor and its own, event descriptors, one
/// listening socket for each address, links to come.
pub const FILES_PER_CORE: u64 = 48;

/// Open files that the process needs beside its cores: standard streams, log, control thread, and some to spare, so
/// that an operator can still get in.
pub const FILES_OF_PROCESS: u64 = 64;

/// Bytes that the process must be allowed to lock in memory; the executor refuses to start with less.
pub const LOCKED_MEMORY_BYTES_MIN: u64 = 512 * 1024;

const _: () = assert!(FILES_PER_CORE >= BIND_ADDRESSES_MAX as u64 + 16);
const _: () = assert!(DATABASES_DEFAULT <= DATABASES_MAX && DATABASES_MAX <= u16::MAX as usize);
const _: () = assert!(CORES_MAX <= CPU_NUMBER_MAX as usize + 1);

/// Emptied output buffers that an engine keeps.
pub const OUTPUT_BUFFERS_POOLED: usize = 256;

/// Unsent bytes at which a client's requests are no longer run until it has read its replies.
pub const OUTPUT_PAUSE_BYTES: usize = 1024 * 1024;

/// Bytes of requests that wait at which their client is no longer read from.
pub const INPUT_PAUSE_BYTES: usize = 64 * 1024;

/// Requests of one client that are run before others get their turn: at half a microsecond each, half of the longest
/// turn (500 us).
pub const REQUESTS_PER_TURN: usize = 512;

/// Queued commands that EXEC runs in one go, if it can run them in one: as many as of a pipeline. Of a longer queue as
/// many are run in each turn, while the keys are held.
pub const EXEC_COMMANDS_AT_ONCE: usize = REQUESTS_PER_TURN;

/// What a queued command may need of its shard beyond its arguments, in bytes: an entry's head and its place in the table.
pub const ENTRY_OVERHEAD_BYTES: usize = 32;

/// Keys that a client may watch at once: WATCH of one more is an error. FLUSHALL visits all watched keys of a core at
/// some dozen nanoseconds each.
pub const WATCHED_KEYS_MAX: usize = 4096;

/// Sessions with waiting input that go on in one turn.
pub const SESSIONS_PER_TURN: usize = 16;

/// Commands run under one loan: tens of microseconds.
pub const LOAN_COMMANDS: u32 = 128;

/// Blocks of a table swept for due entries in one turn, at about fifteen microseconds each if all of their entries go.
pub const EXPIRY_BLOCKS_PER_TURN: usize = 2;

/// Fields of one hash that are removed at once because they are due: as many as a block has entries, about.
pub const FIELDS_EXPIRED_AT_ONCE: usize = 64;

/// While sweeping is off (`DEBUG SET-ACTIVE-EXPIRE`), what has been due for so long goes nevertheless, in milliseconds:
/// near deadlines are written relative to epochs that must not grow too old.
pub const UNSWEPT_MS: u64 = 24 * 3600 * 1000;

/// How often clients are checked against `timeout`.
pub const IDLE_CHECK_INTERVAL_US: u64 = 1_000_000;

/// A command of bounded cost takes less than this. SLOWLOG with a threshold below it measures every command.
pub const BOUNDED_COMMAND_US: u64 = 1000;

/// Entries that work on a whole shard (KEYS, SCAN with a large COUNT) visits in one turn: 90 to 130 us of hashing, sorting
/// and matching with a million keys, 260 us at worst.
pub const SLICE_ENTRIES: usize = 1024;

/// Entries that one SCAN visits at most, whatever its COUNT: the longest turn again.
pub const SCAN_VISITS_MAX: usize = 4096;

/// Bytes that each glommio executor locks for storage I/O: the least that it takes, as data cores do none through it.
pub const EXECUTOR_IO_MEMORY: usize = 64 * 1024;

/// Entries of each of an executor's rings, which carry background work only.
pub const EXECUTOR_RING_DEPTH: usize = 16;

/// How long an orderly stop waits for output to leave, in milliseconds.
pub const DRAIN_MS: u64 = 2000;

/// How long a start waits for an address that seems to be in use, in milliseconds. A ring that was killed with hundreds
/// of connections is gone within a few.
pub const LISTEN_PATIENCE_MS: u64 = 1000;
/// Kinds of error (first words of their lines) that INFO errorstats tells apart.
pub const ERROR_KINDS_MAX: usize = 128;

/// Of so many calls of a command of bounded cost, one is timed: two readings of the clock cost about 50 ns, which comes
/// to less than half a nanosecond per call.
pub const TIMED_ONE_IN: u64 = 128;

/// The longest time of a command that is told apart from longer ones: a quarter of an hour.
pub const TIMED_COMMAND_US_MAX: u64 = 1 << 30;

/// Arguments, and bytes of each, that SLOWLOG keeps, as in Redis.
pub const SLOWLOG_ARGUMENTS_MAX: usize = 32;
/// See [`SLOWLOG_ARGUMENTS_MAX`].
pub const SLOWLOG_ARGUMENT_BYTES_MAX: usize = 128;

/// Spikes that LATENCY keeps of one event, as in Redis.
pub const LATENCY_SAMPLES_MAX: usize = 160;

/// Output at which a client that watches by MONITOR and does not read is closed, if `client-output-buffer-limit` sets no
/// limit: it would otherwise hold whatever all others send.
pub const MONITOR_OUTPUT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Letters to a core at which lines for its MONITOR clients are left out, since it does not read them.
pub const MONITOR_LETTERS_MAX: usize = 64 * 1024;

/// Sessions that CLIENT LIST describes in one turn, at about a microsecond each.
pub const SLICE_SESSIONS: usize = 256;

/// Keys with a deadline that INFO draws from a database, to estimate the mean time to live and the share of those that
/// are due.
pub const TTL_SAMPLES: usize = 16;

/// Elements that one command draws by chance at most (SRANDMEMBER, HRANDFIELD, ZRANDMEMBER with a negative count, which may draw
/// the same ones again and again); together they may be as long as one string. More is refused.
pub const DRAWS_MAX: usize = 1024 * 1024;

/// Keys that CLUSTER GETKEYSINSLOT answers at most, whatever its count: the longest turn again. Whoever moves a slot asks
/// again for what is left.
pub const SLOT_KEYS_MAX: usize = SCAN_VISITS_MAX;

/// Longest DEBUG SLEEP: an hour.
pub const STALL_US_MAX: u64 = 3_600_000_000;

const _: () = assert!(TIMED_ONE_IN.is_power_of_two());

/// A client that speaks HTTP to the server is worth a line in the log at most once in this time.
pub const ATTACK_LOG_INTERVAL_US: u64 = 60_000_000;
/// Requests of a pipeline whose keys are looked for together, before the first of them runs: as many loads as a core keeps
/// in flight.
pub const WARM_KEYS: usize = 16;

/// Addresses of one arena, in bytes: a cell is named by a number of 32 bits that counts units of 8 bytes. A database that
/// would need more on one core is out of memory.
pub const ARENA_BYTES_MAX: usize = 32 << 30;

/// Entries from which looking ahead pays: fewer lie in the second-level cache.
pub const WARM_ENTRIES_MIN: usize = 4096;

/// Events that one turn of a core takes; what is left is taken by the next, after the replies have left, so that clients
/// work on theirs while the core works on the rest. Measured with 50 connections (thousands of operations a second at
/// pipeline 1 and 16; the CPU per operation is the same): all at once 126 and 1180; 16 at a time 152 and 1650; 8 at a
/// time 142 and 1560.
pub const TURN_EVENTS: usize = 16;
/// How long the commands of what has come may take of one turn, and again those of what has waited, in microseconds: with the
/// last sixteen commands, and with what the shard needs at the end of a turn, it stays below the longest turn (500 us).
pub const TURN_US: u64 = 80;
/// Commands of one turn before the clock is looked at for that.
pub const TURN_COMMANDS_MIN: u64 = 32;
/// Events that may be left: each holds a receive buffer. If there are more, another turn comes before the kernel is asked
/// for news.
pub const EVENTS_LEFT_MAX: usize = 64;
const _: () = assert!(EVENTS_LEFT_MAX >= TURN_EVENTS);

/// Turns whose CPU time is measured exactly at the start and after one that was long by the wall clock.
pub const TURNS_MEASURED: u32 = 10_000;
/// A turn that is long by the wall clock, in microseconds: half of the longest turn (500 us).
pub const LONG_TURN_US: u64 = 250;
/// Busy time of a core after which its CPU clock is read again, in microseconds: at 1.6 us a reading that is 0.16%.
pub const TURN_READING_BUSY_US: u64 = 1000;

/// Largest value that is compressed: one of a mebibyte takes milliseconds to pack and unpack, as it is.
pub const PACKED_BYTES_MAX: usize = 1024 * 1024;

/// Bytes that a shard asks for or keeps beyond what it needs, of the node's budget (a sixteenth of its share at most).
pub const GRANT_BYTES: u64 = 1024 * 1024;
/// The same for keys.
pub const GRANT_KEYS: u64 = 4096;

/// Entries that one write evicts to make room for itself. At 100 bytes each they are more than a mebibyte; at 0.2 us each
/// they take 3 ms, which only a large value among small ones asks for.
pub const EVICTIONS_PER_WRITE: usize = 16 * 1024;
/// Draws or rounds without a victim at which a write gives up: half a millisecond at worst, where a few volatile keys lie
/// among millions of others.
pub const EVICTION_SEARCHES_PER_WRITE: usize = 256;
/// Queue items that are looked at to find one victim, before the limit of the write is looked at again.
pub const EVICTION_STEPS: usize = 64;
/// Entries that a turn evicts beyond what writes need: what is above the limit, or wanted by other cores.
pub const EVICTIONS_PER_TURN: usize = 128;
/// Blocks whose entries are queued in one turn after a change of policy, at about two microseconds each.
pub const ADOPTED_BLOCKS_PER_TURN: usize = 8;
/// Bytes that an empty database may go on holding: a few pages of the cells that it will want again.
pub const EMPTY_HELD_BYTES_MAX: usize = 64 * 1024;
/// Cells that are moved together in one turn, at about a tenth of a microsecond each.
pub const COMPACTED_CELLS_PER_TURN: usize = 128;

/// Bytes of deleted data that are given back at once: a few hundred pages, some dozen microseconds, on a virtual machine
/// up to 300. With half of it, evicting for large values at full speed left more to be buried than a value above the limit.
pub const BURIAL_BYTES: usize = 1024 * 1024;

/// Bytes of small allocations that are given back between two looks at the clock: about ten, each of which may be the last of
/// its page of the heap, which then takes some dozen microseconds.
pub const BURIAL_NODE_BYTES: usize = 2 * 1024;

/// Bytes of small allocations that are not dropped at once.
pub const BURIED_NODES_BYTES_MIN: usize = 64 * 1024;

/// About what one subscription costs beside the bytes of its name: its places in the sets of its client and of its core.
pub const SUBSCRIPTION_BYTES: usize = 256;
/// Bytes that the subscriptions of one client may take: half a million with short names. A client that would have more is
/// refused them.
pub const SUBSCRIPTION_BYTES_PER_CLIENT_MAX: usize = 128 * 1024 * 1024;
/// Subscriptions of a client that has left which are forgotten in one turn, at about half a microsecond each.
pub const SUBSCRIPTIONS_PER_SLICE: usize = 256;
/// Names of channels that PUBSUB CHANNELS looks at in one turn.
pub const SLICE_CHANNELS: usize = 1024;
/// Output at which a subscriber that does not read is closed if `client-output-buffer-limit` sets no limit for its class:
/// it would otherwise hold whatever all others publish.
pub const SUBSCRIBER_OUTPUT_BYTES_MAX: usize = 1 << 30;

/// Bytes of events that one shard keeps for subscribers until they are published (keyspace notifications); what comes
/// beyond is dropped and counted. They wait for the end of a command or for mail credit, so this is what one huge command
/// may tell of, or a shard whose subscribers' cores have no time: more than a subscriber could take by Redis's default
/// limit of its output, 32 MiB.
pub const KEY_EVENTS_BYTES_MAX: usize = 64 << 20;
/// Places for events that a shard keeps when all are published.
pub const KEY_EVENTS_KEPT: usize = 256;
