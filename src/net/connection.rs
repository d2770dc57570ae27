//! One connection: what it has in the kernel, and what it still has to send.
//!
//! ```text
//!   output     Idle ──push──▶ Lent ──settled, all──▶ Idle
//!                ▲              │ settled, short
//!                │              ▼
//!                └──────────  Rest ──Writable completes──▶ Lent ...
//!
//!   receive,   No ──pushed──▶ Yes ──terminal completion──▶ No
//!   writable                   └──cancelled──▶ Ending ──────┘
//! ```

use super::End;
use super::lent::Lent;
use crate::resp::Output;

/// Whether an operation that ends by its terminal completion is in the kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum InKernel {
    No,
    Yes,
    /// Yes, but asked to end.
    Ending,
}

/// What was taken from the queue to be sent.
#[derive(Debug)]
pub(super) enum Outgoing {
    /// Nothing.
    Idle,
    /// A send is in the kernel's hands, asking for `asked` bytes from offset `sent` on.
    Lent { output: Lent, sent: usize, asked: usize },
    /// The bytes from `sent` on did not leave.
    Rest { output: Output, sent: usize },
}

/// How far closing has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Closing {
    Open,
    /// Once all output has left.
    AfterOutput,
    /// As soon as the kernel is done with it.
    Now,
}

#[derive(Debug)]
pub(super) struct Connection<Descriptor> {
    pub(super) fd: Descriptor,
    pub(super) generation: u32,
    /// When it was last heard of, by [`Pacing`](super::pacing::Pacing).
    pub(super) window: u32,
    pub(super) receive: InKernel,
    pub(super) writable: InKernel,
    pub(super) closing: Closing,
    /// Whether the owner wants bytes.
    pub(super) reading: bool,
    /// The owner has been told that nothing comes any more.
    pub(super) ended: bool,
    /// Nothing can be sent any more.
    pub(super) broken: bool,
    /// The owner has been told of a short send, and not yet of its end.
    pub(super) stalled: bool,
    /// The socket must take bytes again before the rest is tried.
    pub(super) full: bool,
    /// It is in the list of connections to look at before the next enter.
    pub(super) dirty: bool,
    /// What the kernel said about the send, if it said anything.
    pub(super) outcome: Option<i32>,
    pub(super) outgoing: Outgoing,
    /// Handed over and not yet taken.
    pub(super) queued: Output,
}

// 15,000 idle connections at less than 1 KiB each for the whole server: this is net's part.
const _: () = assert!(size_of::<Connection<std::os::fd::OwnedFd>>() <= 176);

/// How a send ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Settled {
    /// All that was taken from the queue has left.
    All,
    /// A part of it has left; the rest can go at once.
    Part,
    /// The socket is full.
    Full,
    /// The connection is broken.
    Broken(End),
}

impl<Descriptor> Connection<Descriptor> {
    pub(super) fn new(fd: Descriptor, generation: u32) -> Self {
        Self {
            fd,
            generation,
            window: 0,
            receive: InKernel::No,
            writable: InKernel::No,
            closing: Closing::Open,
            reading: true,
            ended: false,
            broken: false,
            stalled: false,
            full: false,
            dirty: false,
            outcome: None,
            outgoing: Outgoing::Idle,
            queued: Output::new(),
        }
    }

    /// Bytes that were handed over and have not left.
    pub(super) fn unsent_bytes(&self) -> usize {
        let taken = match &self.outgoing {
            Outgoing::Idle => 0,
            Outgoing::Lent { output, sent, .. } => output.len() - sent,
            Outgoing::Rest { output, sent } => output.len() - sent,
        };
        taken + self.queued.len()
    }

    /// Whether something follows the send in the kernel's hands as soon as that is settled: more output, the end of the
    /// connection, or news for an owner who has been told of a short send.
    #[inline]
    pub(super) fn has_sequel(&self) -> bool {
        let Outgoing::Lent { output, sent, asked } = &self.outgoing else { return false };
        self.stalled || self.closing != Closing::Open || !self.queued.is_empty() || sent + asked < output.len()
    }

    /// Whether bytes are wanted from the kernel.
    pub(super) fn wants_receive(&self) -> bool {
        self.reading && !self.ended && self.closing == Closing::Open
    }

    /// Whether nothing of it is in the kernel.
    pub(super) fn is_quiet(&self) -> bool {
        self.receive == InKernel::No && self.writable == InKernel::No && !matches!(self.outgoing, Outgoing::Lent { .. })
    }

    /// Whether it shall go now: closed at once, or after output of which none is left.
    pub(super) fn is_leaving(&self) -> bool {
        match self.closing {
            Closing::Open => false,
            Closing::AfterOutput => self.broken || self.unsent_bytes() == 0,
            Closing::Now => true,
        }
    }

    /// Why the kernel ended the receive: `None` if it can simply be armed again.
    pub(super) fn end_of(result: i32) -> Option<End> {
        match -result {
            0 => Some(End::PeerClosed),
            // It was us; the pool was empty; or nothing was the matter.
            libc::ECANCELED | libc::ENOBUFS | libc::EAGAIN | libc::EINTR | libc::ENOMEM => None,
            libc::ECONNRESET | libc::EPIPE | libc::ENOTCONN => Some(End::Reset),
            code if code > 0 => Some(End::Error(code)),
            // It brought bytes and stopped, which the kernel may do at any time.
            _ => None,
        }
    }
}
