//! The client's mistakes, as data: a small `Copy` enum whose text is looked up only when the reply is encoded.
//!
//! The texts are protocol: clients and their test suites compare them. A text that quotes what the client sent is not
//! here, as it cannot be `Copy`; its command writes it through [`Reply::error_text`](super::Reply::error_text).

use std::borrow::Cow;
use std::fmt;

/// Declares [`ReplyError`]: errors with a fixed line, then errors whose line quotes a name of ours (`{}` in it).
macro_rules! reply_errors {
    (
        fixed { $($fixed:ident = $line:literal,)* }
        naming { $($naming:ident = $before:literal {} $after:literal,)* }
    ) => {
        /// What a client did wrong, or why it is refused: one `-` line in reply, and the connection goes on.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum ReplyError {
            $(#[doc = concat!("`", $line, "`")] $fixed,)*
            $(#[doc = concat!("`", $before, "...", $after, "`, with a name in lower case")] $naming(&'static str),)*
        }

        impl ReplyError {
            /// The parts of the line, to be written one after the other: without `-` and CRLF.
            #[inline]
            pub(super) fn parts(self) -> [&'static str; 3] {
                match self {
                    $(ReplyError::$fixed => [$line, "", ""],)*
                    $(ReplyError::$naming(name) => [$before, name, $after],)*
                }
            }

            /// One of each, in the order of the table.
            #[cfg(test)]
            fn all() -> Vec<ReplyError> {
                vec![$(ReplyError::$fixed,)* $(ReplyError::$naming("client|kill"),)*]
            }
        }
    };
}

reply_errors! {
    fixed {
        // Any command.
        WrongType = "WRONGTYPE Operation against a key holding the wrong kind of value",
        Syntax = "ERR syntax error",
        NotInteger = "ERR value is not an integer or out of range",
        NotFloat = "ERR value is not a valid float",
        OutOfRange = "ERR value is out of range",
        OutOfRange64 = "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
        OutOfRange32 = "ERR value is out of range, value must between -2147483648 and 2147483647",
        NotPositive = "ERR value is out of range, must be positive",
        NoSuchKey = "ERR no such key",
        KeyCountNotPositive = "ERR numkeys should be greater than 0",
        KeyCountTooLarge = "ERR Number of keys can't be greater than number of args",
        TimeoutNotInteger = "ERR timeout is not an integer or out of range",
        TimeoutNotFloat = "ERR timeout is not a float or out of range",
        TimeoutOutOfRange = "ERR timeout is out of range",
        TimeoutNegative = "ERR timeout is negative",
        OutOfMemory = "OOM command not allowed when used memory > 'maxmemory'.",

        // Strings.
        IndexOutOfRange = "ERR index out of range",
        OffsetOutOfRange = "ERR offset is out of range",
        StringTooLong = "ERR string exceeds maximum allowed size (proto-max-bulk-len)",
        IncrementOverflow = "ERR increment or decrement would overflow",
        DecrementOverflow = "ERR decrement would overflow",
        IncrementNotFinite = "ERR increment would produce NaN or Infinity",
        LcsNotStrings = "ERR The specified keys must contain string values",
        LcsLengthAndIndexes = "ERR If you want both the length and indexes, please just use IDX.",
        LcsStringTooLong = "ERR String too long for LCS",
        LcsOutOfMemory = "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len",

        // Lists.
        RankZero =
            "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start \
            from the end of the list",
        CountNegative = "ERR COUNT can't be negative",
        MaxlenNegative = "ERR MAXLEN can't be negative",
        CountNotPositive = "ERR count should be greater than 0",
        SortNotNumber = "ERR One or more scores can't be converted into double",

        // Bitmaps.
        BitNotInteger = "ERR bit is not an integer or out of range",
        BitOffsetNotInteger = "ERR bit offset is not an integer or out of range",
        BitNotZeroOrOne = "ERR The bit argument must be 1 or 0.",
        BitopNotSources = "ERR BITOP NOT must be called with a single source key.",
        BitfieldType =
            "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.",
        BitfieldOverflow = "ERR Invalid OVERFLOW type specified",
        BitfieldReadOnly = "ERR BITFIELD_RO only supports the GET subcommand",

        // Sorted sets.
        NotFloatRange = "ERR min or max is not a float",
        NotMemberRange = "ERR min or max not valid string range item",
        ScoreNaN = "ERR resulting score is not a number (NaN)",
        WeightNotFloat = "ERR weight value is not a float",
        ZaddNxAndXx = "ERR XX and NX options at the same time are not compatible",
        ZaddGtLtAndNx = "ERR GT, LT, and/or NX options at the same time are not compatible",
        ZaddIncrement = "ERR INCR option supports a single increment-element pair",
        ZrangeLimit = "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
        ZrangeWithScores = "ERR syntax error, WITHSCORES not supported in combination with BYLEX",
        LimitNegative = "ERR LIMIT can't be negative",
        // Sets and hashes.
        NovaluesNotHash = "ERR NOVALUES option can only be used in HSCAN",
        HashNotInteger = "ERR hash value is not an integer",
        HashNotFloat = "ERR hash value is not a float",
        NotFinite = "ERR value is NaN or Infinity",
        FieldsMissing = "ERR Mandatory argument FIELDS is missing or not at the right position",
        FieldCountNotPositive = "ERR Number of fields must be a positive integer",
        FieldCountZero = "ERR Parameter `numFields` should be greater than 0",
        FieldCountInvalid = "ERR invalid number of fields",
        FieldCountMismatch = "ERR The `numfields` parameter must match the number of arguments",
        ExpireNegative = "ERR invalid expire time, must be >= 0",
        ExpireMissing = "ERR missing expire time",
        FieldConditions = "ERR Only one of FXX or FNX arguments can be specified",
        FieldExpirations = "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified",
        DumpFieldDeadlines = "ERR a hash with deadlines of fields cannot be dumped",

        // Keys.
        InvalidCursor = "ERR invalid cursor",
        SameObject = "ERR source and destination objects are the same",
        DatabaseOutOfRange = "ERR DB index is out of range",
        InvalidFirstDatabase = "ERR invalid first DB index",
        InvalidSecondDatabase = "ERR invalid second DB index",
        ExpireOptions = "ERR NX and XX, GT or LT options at the same time are not compatible",
        ExpireGtAndLt = "ERR GT and LT options at the same time are not compatible",
        BusyKey = "BUSYKEY Target key name already exists.",
        RestoreTtl = "ERR Invalid TTL value, must be >= 0",
        RestoreIdleTime = "ERR Invalid IDLETIME value, must be >= 0",
        RestoreFrequency = "ERR Invalid FREQ value, must be >= 0 and <= 255",
        RestorePayload = "ERR DUMP payload version or checksum are wrong",
        RestoreFormat = "ERR Bad data format",
        LfuNotSelected =
            "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when \
            switching between policies at runtime LRU and LFU data will take some time to adjust.",
        LfuSelected =
            "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between \
            policies at runtime LRU and LFU data will take some time to adjust.",
        IdleTimeNotTracked = "ERR The maxmemory policy does not keep idle times. Policies that do are noeviction and those \
            that end in -lru.",

        // Connection.
        NoAuth = "NOAUTH Authentication required.",
        WrongPassword = "WRONGPASS invalid username-password pair or user is disabled.",
        NoPasswordSet =
            "ERR AUTH <password> called without any password configured for the default user. Are you sure your \
            configuration is correct?",
        HelloNoAuth =
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH \
            <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the \
            same time",
        ProtocolUnsupported = "NOPROTO unsupported protocol version",
        ProtocolNotInteger = "ERR Protocol version is not an integer or out of range",
        TooManyClients = "ERR max number of clients reached",
        ClientName = "ERR Client names cannot contain spaces, newlines or special characters.",
        NoSuchClient = "ERR No such client",
        ClientIdNotPositive = "ERR client-id should be greater than 0",
        InvalidClientId = "ERR Invalid client ID",
        PauseMode = "ERR CLIENT PAUSE mode must be WRITE or ALL",
        TooManySubscriptions = "ERR max number of subscriptions of a client reached",
        UnblockReason = "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR",

        Unblocked = "UNBLOCKED client unblocked via CLIENT UNBLOCK",

        // Transactions.
        NestedMulti = "ERR MULTI calls can not be nested",
        WatchInMulti = "ERR WATCH inside MULTI is not allowed",
        ExecWithoutMulti = "ERR EXEC without MULTI",
        DiscardWithoutMulti = "ERR DISCARD without MULTI",
        NotInMulti = "ERR Command not allowed inside a transaction",
        ExecAborted = "EXECABORT Transaction discarded because of previous errors.",
        MonitorInMulti = "ERR MONITOR isn't allowed for DENY BLOCKING client",
        TooManyWatched = "ERR too many watched keys",

        // Slots.
        InvalidSlot = "ERR Invalid slot",
        InvalidSlotOrCount = "ERR Invalid slot or number of keys",

        // Server.
        DebugNotAllowed =
            "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it \
            from a local connection, otherwise you need to set this option in the configuration file, and then \
            restart the server.",
        NoConfigFile = "ERR The server is running without a config file",
        SlowlogCount = "ERR count should be greater than or equal to -1",
        NoShutdown = "ERR No shutdown in progress.",
        ShutdownFailed = "ERR Errors trying to SHUTDOWN. Check logs.",
        GetkeysCommand = "ERR Invalid command specified",
        GetkeysArity = "ERR Invalid number of arguments specified for command",
        GetkeysArguments = "ERR Invalid arguments specified for command",
        GetkeysNoKeys = "ERR The command has no key arguments",
    }
    naming {
        WrongArity = "ERR wrong number of arguments for '" {} "' command",
        InputKeysMissing = "ERR at least 1 input key is needed for '" {} "' command",
        InvalidExpire = "ERR invalid expire time in '" {} "' command",
        NoPermission = "NOPERM User default has no permissions to run the '" {} "' command",
        ClientAttribute = "ERR " {} " cannot contain spaces, newlines or special characters.",
    }
}

// Handlers return it in a `Result` at every call: it must stay in registers.
const _: () = assert!(size_of::<ReplyError>() <= 24);

impl ReplyError {
    /// The whole line without `-` and CRLF, e.g. `ERR syntax error`.
    pub fn text(self) -> Cow<'static, str> {
        match self.parts() {
            [line, "", ""] => Cow::Borrowed(line),
            parts => Cow::Owned(parts.concat()),
        }
    }
}

impl fmt::Display for ReplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts().iter().try_for_each(|part| f.write_str(part))
    }
}

impl std::error::Error for ReplyError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_a_prefix_and_is_one_line() {
        let mut lines = Vec::new();
        for error in ReplyError::all() {
            let line = error.text();
            let (prefix, rest) = line.split_once(' ').expect("a prefix and a text");
            assert!(prefix.bytes().all(|byte| byte.is_ascii_uppercase()), "{line}");
            assert!(!rest.is_empty() && line.is_ascii() && !line.contains(['\r', '\n']), "{line}");
            assert_eq!(error.to_string(), line);
            assert!(!lines.contains(&line), "twice: {line}");
            lines.push(line);
        }
    }

    #[test]
    fn names_are_filled_in() {
        let text = ReplyError::WrongArity("client|kill").text();
        assert_eq!(text, "ERR wrong number of arguments for 'client|kill' command");
        assert_eq!(ReplyError::InvalidExpire("set").text(), "ERR invalid expire time in 'set' command");
        assert_eq!(ReplyError::Syntax.text(), "ERR syntax error");
    }
}
