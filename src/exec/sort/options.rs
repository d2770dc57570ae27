//! The options of SORT and SORT_RO, and the patterns in them.

use crate::base::CoreId;
use crate::command::{Args, CommandId};
use crate::resp::{ReplyError, Request};

/// What SORT is to do, behind its key.
#[derive(Debug, Default)]
pub(super) struct Options<'a> {
    /// By what to sort, if not by the elements themselves.
    pub(super) by: Option<Pattern<'a>>,
    /// BY something that names no key: the elements stay in the order that they have.
    pub(super) is_unsorted: bool,
    /// What to answer for each element; nothing means the element.
    pub(super) gets: Vec<Pattern<'a>>,
    /// The first element to answer, and how many; negative means all.
    pub(super) limit: Option<(i64, i64)>,
    pub(super) descending: bool,
    /// Sorts as text, not as numbers.
    pub(super) alpha: bool,
    /// The list to write instead of a reply.
    pub(super) store: Option<&'a [u8]>,
}

/// What stands behind BY and GET.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pattern<'a> {
    /// `#`: the element itself.
    Element,
    /// It has no `*`, and so names nothing.
    Nothing,
    /// The value of another key, or of a field of the hash that it holds.
    Key {
        /// In front of the element.
        prefix: &'a [u8],
        /// Behind it.
        postfix: &'a [u8],
        field: Option<&'a [u8]>,
    },
}

impl<'a> Pattern<'a> {
    fn new(text: &'a [u8]) -> Self {
        if text == b"#" {
            return Self::Element;
        }
        let Some(star) = memchr::memchr(b'*', text) else { return Self::Nothing };
        let (prefix, rest) = (&text[..star], &text[star + 1..]);
        // An arrow with nothing behind it is a part of the key.
        match rest.windows(2).position(|two| two == b"->").filter(|arrow| arrow + 2 < rest.len()) {
            Some(arrow) => Self::Key { prefix, postfix: &rest[..arrow], field: Some(&rest[arrow + 2..]) },
            None => Self::Key { prefix, postfix: rest, field: None },
        }
    }

    /// Writes the key that the pattern names for an element into `name`. False if it names none.
    pub(super) fn name_for(self, element: &[u8], name: &mut Vec<u8>) -> bool {
        let Self::Key { prefix, postfix, .. } = self else { return false };
        name.clear();
        [prefix, element, postfix].into_iter().for_each(|part| name.extend_from_slice(part));
        true
    }

    /// Whether all keys that the pattern names lie on one core: their hash tag stands in front of the element.
    fn lies_on(self, core: CoreId, core_of: impl Fn(&[u8]) -> CoreId) -> bool {
        let Self::Key { prefix, .. } = self else { return true };
        let Some(open) = memchr::memchr(b'{', prefix) else { return false };
        match memchr::memchr(b'}', &prefix[open + 1..]) {
            None | Some(0) => false,
            Some(_) => core_of(prefix) == core,
        }
    }
}

impl<'a> Options<'a> {
    /// Reads the arguments behind the key.
    pub(super) fn parse(command: CommandId, args: &mut Args<'a>) -> Result<Self, ReplyError> {
        let mut options = Self::default();
        while !args.is_empty() {
            match args.keyword_of(&["asc", "desc", "alpha", "limit", "store", "by", "get"]) {
                Some(0) => options.descending = false,
                Some(1) => options.descending = true,
                Some(2) => options.alpha = true,
                Some(3) if args.remaining() >= 2 => options.limit = Some((args.int()?, args.int()?)),
                Some(4) if command == CommandId::Sort && !args.is_empty() => options.store = Some(args.next()?),
                Some(5) if !args.is_empty() => {
                    let pattern = args.next()?;
                    // The last one counts, but one that asks for no order stays heard, as in Redis.
                    options.is_unsorted |= !pattern.contains(&b'*');
                    options.by = Some(Pattern::new(pattern));
                }
                Some(6) if !args.is_empty() => options.gets.push(Pattern::new(args.next()?)),
                _ => return Err(ReplyError::Syntax),
            }
        }
        Ok(options)
    }

    /// The options of a whole request.
    fn of(command: CommandId, request: Request<'a>) -> Option<Self> {
        let mut args = Args::new(command.command(), request);
        args.next().ok()?;
        Self::parse(command, &mut args).ok()
    }

    /// The patterns that name other keys, as far as they matter.
    pub(super) fn patterns(&self) -> impl Iterator<Item = Pattern<'a>> {
        let by = self.by.filter(|_| !self.is_unsorted);
        by.into_iter().chain(self.gets.iter().copied()).filter(|pattern| matches!(pattern, Pattern::Key { .. }))
    }
}

/// Whether the patterns of a SORT name keys that may lie on other cores than `core`.
pub fn reads_elsewhere(
    command: CommandId,
    request: Request<'_>,
    core: CoreId,
    core_of: impl Fn(&[u8]) -> CoreId,
) -> bool {
    Options::of(command, request)
        .is_some_and(|options| options.patterns().any(|pattern| !pattern.lies_on(core, &core_of)))
}

/// Whether a SORT has patterns that name keys.
pub fn reads_by_pattern(command: CommandId, request: Request<'_>) -> bool {
    Options::of(command, request).is_some_and(|options| options.patterns().next().is_some())
}

/// Calls `visit` with every key that the patterns of a SORT name for an element.
pub(super) fn visit_named(
    command: CommandId,
    request: Request<'_>,
    element: &[u8],
    name: &mut Vec<u8>,
    visit: &mut impl FnMut(&[u8]),
) {
    let Some(options) = Options::of(command, request) else { return };
    for pattern in options.patterns() {
        if pattern.name_for(element, name) {
            visit(name);
        }
    }
}
