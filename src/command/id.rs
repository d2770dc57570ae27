//! Dense numbers of commands, in the order of the table's rows.

/// A command or subcommand: an index for tables of handlers, counters and histograms.
///
/// The order is that of the table: group by group, sorted by name within a group, subcommands behind their container.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u16)]
#[expect(missing_docs, reason = "every variant is the command of that name; its row documents it")]
pub enum CommandId {
    Append,
    Decr,
    Decrby,
    Get,
    Getdel,
    Getex,
    Getrange,
    Getset,
    Incr,
    Incrby,
    Incrbyfloat,
    Lcs,
    Mget,
    Mset,
    Msetnx,
    Psetex,
    Set,
    Setex,
    Setnx,
    Setrange,
    Strlen,
    Substr,
    Bitcount,
    Bitfield,
    BitfieldRo,
    Bitop,
    Bitpos,
    Getbit,
    Setbit,
    Copy,
    Del,
    Dump,
    Exists,
    Expire,
    Expireat,
    Expiretime,
    Keys,
    Move,
    Object,
    ObjectEncoding,
    ObjectFreq,
    ObjectHelp,
    ObjectIdletime,
    ObjectRefcount,
    Persist,
    Pexpire,
    Pexpireat,
    Pexpiretime,
    Pttl,
    Randomkey,
    Rename,
    Renamenx,
    Restore,
    Scan,
    Touch,
    Ttl,
    Type,
    Unlink,
    Wait,
    Auth,
    Client,
    ClientGetname,
    ClientHelp,
    ClientId,
    ClientInfo,
    ClientKill,
    ClientList,
    ClientNoEvict,
    ClientNoTouch,
    ClientPause,
    ClientReply,
    ClientSetinfo,
    ClientSetname,
    ClientUnblock,
    ClientUnpause,
    Echo,
    Hello,
    Ping,
    Quit,
    Reset,
    Select,
    Bgrewriteaof,
    Bgsave,
    Command,
    CommandCount,
    CommandDocs,
    CommandGetkeys,
    CommandGetkeysandflags,
    CommandHelp,
    CommandInfo,
    CommandList,
    Config,
    ConfigGet,
    ConfigHelp,
    ConfigResetstat,
    ConfigRewrite,
    ConfigSet,
    Dbsize,
    Debug,
    Flushall,
    Flushdb,
    Info,
    Lastsave,
    Latency,
    LatencyDoctor,
    LatencyGraph,
    LatencyHelp,
    LatencyHistogram,
    LatencyHistory,
    LatencyLatest,
    LatencyReset,
    Lolwut,
    Memory,
    MemoryDoctor,
    MemoryHelp,
    MemoryMallocStats,
    MemoryPurge,
    MemoryStats,
    MemoryUsage,
    Monitor,
    Role,
    Save,
    Shutdown,
    Slowlog,
    SlowlogGet,
    SlowlogHelp,
    SlowlogLen,
    SlowlogReset,
    Swapdb,
    Time,
}

impl CommandId {
    /// How many there are, subcommands included.
    pub const COUNT: usize = Self::Time as usize + 1;

    /// All of them, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        super::BY_ID.iter().map(|command| command.id)
    }

    /// The number as an index.
    #[inline]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The command's row.
    #[inline]
    pub fn command(self) -> &'static super::Command {
        super::BY_ID[self.index()]
    }
}
