//! The kernel for real: one io_uring, its receive pool, and nothing that decides anything.
//!
//! Completions are delivered only by an enter that asks for events (DEFER_TASKRUN), so every enter does; the crate's
//! own `submit_and_wait` does not always, and does not keep the registered descriptor, which is why the system call is
//! made here.

#![expect(unsafe_code, reason = "fence: submissions name memory, and io_uring_enter is a raw system call")]

use std::io;
use std::mem::{ManuallyDrop, size_of};
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use io_uring::squeue::{Entry, Flags};
use io_uring::types::{CancelBuilder, Fd, SubmitArgs, Timespec};
use io_uring::{EnterFlags, IoUring, cqueue, opcode};

use super::buffers::{Buffers, GROUP};
use super::error::NetError;
use super::kernel::{Completion, Doorbell, Enter, Kernel, Operation};
use super::lent::Lent;
use super::token::Token;
use super::{Features, NetConfig};
use crate::limits::{SEND_BYTES_MAX, SEND_PIECES_MAX};

/// `IORING_REGISTER_RING_FDS` and its opposite, of linux/io_uring.h.
const REGISTER_RING_FDS: u32 = 20;
const UNREGISTER_RING_FDS: u32 = 21;

/// Never wait in the kernel, never raise SIGPIPE, and post the count of a *short* send instead of calling it a success.
const SEND_FLAGS: i32 = libc::MSG_DONTWAIT | libc::MSG_WAITALL | libc::MSG_NOSIGNAL;

/// `struct io_uring_rsrc_update` of linux/io_uring.h.
#[repr(C)]
struct RingRegistration {
    offset: u32,
    reserved: u32,
    data: u64,
}

/// What a vectored send points to. Boxed, as the kernel reads it when it consumes the submission.
struct Message {
    header: libc::msghdr,
    pieces: [libc::iovec; SEND_PIECES_MAX],
}

/// One ring. It belongs to the thread that made it (SINGLE_ISSUER), and the pointers in it keep it there.
pub struct Uring {
    // Dropped before the pool that it writes to.
    ring: ManuallyDrop<IoUring>,
    buffers: ManuallyDrop<Buffers>,
    /// What enter names: an index if the descriptor is registered with the thread, else the descriptor.
    enter_fd: RawFd,
    enter_flags: EnterFlags,
    features: Features,
    pushed: u64,
    started: Instant,
    /// Headers of vectored sends; the first `messages_used` stand in the submission queue.
    #[expect(clippy::vec_box, reason = "their addresses are in the queue while the vector grows")]
    messages: Vec<Box<Message>>,
    messages_used: usize,
}

impl Uring {
    /// Makes a ring on the calling thread, which is the only one that may use it.
    pub(super) fn new(config: &NetConfig) -> Result<Self, NetError> {
        let ring = setup(config)?;
        let params = ring.params();
        if !(params.is_feature_nodrop() && params.is_feature_ext_arg() && params.is_feature_skip_cqe_on_success()) {
            return Err(NetError::KernelTooOld { feature: "io_uring with CQE_SKIP_SUCCESS", needs: "6.1" });
        }
        let mut features =
            Features { min_wait: params.is_feature_min_timeout() && config.min_wait, registered_ring: false };
        let mut enter_flags = EnterFlags::GETEVENTS;
        // Waiting for clients is idling, not waiting for a disk: without this, an idle server shows as 100 % iowait.
        if params.is_feature_no_iowait() {
            enter_flags |= EnterFlags::NO_IOWAIT;
        }

        let pool = |error| NetError::of("receive buffers", "a ring of provided buffers", "5.19", error);
        let buffers = Buffers::new(config.receive_buffers, config.receive_buffer_bytes).map_err(pool)?;
        // SAFETY: the address is that of a mapping with `count` entries, which lives until the ring has been quieted
        // and closed (`drop`).
        unsafe {
            let submitter = ring.submitter();
            submitter.register_buf_ring_with_flags(buffers.ring_address(), buffers.count(), GROUP, 0).map_err(pool)?;
        }

        let mut enter_fd = ring.as_raw_fd();
        // Worth a few nanoseconds per turn, so a thread whose places are taken goes without.
        if let Ok(index) = register_ring(REGISTER_RING_FDS, ring.as_raw_fd(), u32::MAX, ring.as_raw_fd() as u64) {
            enter_fd = index as RawFd;
            enter_flags |= EnterFlags::REGISTERED_RING;
            features.registered_ring = true;
        }
        Ok(Self {
            ring: ManuallyDrop::new(ring),
            buffers: ManuallyDrop::new(buffers),
            enter_fd,
            enter_flags,
            features,
            pushed: 0,
            started: Instant::now(),
            messages: Vec::new(),
            messages_used: 0,
        })
    }

    /// What this kernel offers and the configuration allows.
    pub(super) fn features(&self) -> Features {
        self.features
    }

    /// Where others ring this core.
    pub(super) fn doorbell(&self) -> Doorbell {
        Doorbell(self.ring.as_raw_fd())
    }

    #[inline]
    fn push_entry(&mut self, entry: &Entry) {
        // SAFETY: what an entry names lives long enough. Descriptors: the kernel takes its own reference when it
        // consumes the entry. Receives: pool memory, unmapped after the ring is quiet. Sends: see `send`.
        let pushed = unsafe { self.ring.submission().push(entry) };
        assert!(pushed.is_ok(), "push without room in the submission queue");
        self.pushed += 1;
    }

    /// Fills the next free header with slices of `output` and answers it with the bytes that they have.
    fn message(&mut self, output: &Lent, from: usize) -> (*const libc::msghdr, usize) {
        if self.messages_used == self.messages.len() {
            self.messages.push(Box::new(Message {
                // SAFETY: msghdr is plain data, for which all zeroes is the empty message.
                header: unsafe { std::mem::zeroed() },
                pieces: [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }; SEND_PIECES_MAX],
            }));
        }
        let message = &mut self.messages[self.messages_used];
        self.messages_used += 1;
        let (mut count, mut bytes) = (0, 0);
        for (piece, slot) in output.pieces(from).zip(&mut message.pieces) {
            let len = piece.len().min(SEND_BYTES_MAX - bytes);
            *slot = libc::iovec { iov_base: piece.as_ptr().cast_mut().cast(), iov_len: len };
            count += 1;
            bytes += len;
            if bytes == SEND_BYTES_MAX {
                break;
            }
        }
        message.header.msg_iov = message.pieces.as_mut_ptr();
        message.header.msg_iovlen = count;
        (&raw const message.header, bytes)
    }
}

impl Kernel for Uring {
    type Descriptor = OwnedFd;

    #[inline]
    fn room(&self) -> usize {
        // SAFETY: no other view of the submission queue is alive: each one ends within the function that makes it.
        let queue = unsafe { self.ring.submission_shared() };
        queue.capacity() - queue.len()
    }

    #[inline]
    fn push(&mut self, operation: Operation<'_, OwnedFd>, token: Token) {
        let quiet = Flags::SKIP_SUCCESS;
        let entry = match operation {
            Operation::Accept(fd) => opcode::AcceptMulti::new(Fd(fd.as_raw_fd())).flags(libc::SOCK_CLOEXEC).build(),
            Operation::Receive(fd) => opcode::RecvMulti::new(Fd(fd.as_raw_fd()), GROUP).build(),
            Operation::Writable(fd) => opcode::PollAdd::new(Fd(fd.as_raw_fd()), libc::POLLOUT as u32).build(),
            Operation::Cancel(target) => opcode::AsyncCancel::new(target.0).build().flags(quiet),
            Operation::Close(fd) => opcode::Close::new(Fd(fd.into_raw_fd())).build().flags(quiet),
            Operation::Ring { doorbell, bell } => {
                opcode::MsgRingData::new(Fd(doorbell.0), 0, bell.0, None).build().flags(quiet)
            }
        };
        self.push_entry(&entry.user_data(token.0));
    }

    #[inline]
    fn send(&mut self, socket: &OwnedFd, output: &Lent, from: usize, token: Token) -> usize {
        let fd = Fd(socket.as_raw_fd());
        // The memory that the entry names is the output's, which neither moves nor changes nor is freed while it is
        // `Lent`; coming back from there is what `Lent::settle` makes its caller promise. The header and the slices of a
        // vectored send are read when the entry is consumed, and not reused before (`enter`).
        let (entry, bytes) = if output.has_large() {
            let (header, bytes) = self.message(output, from);
            (opcode::SendMsg::new(fd, header).flags(SEND_FLAGS as u32).build(), bytes)
        } else {
            let bytes = output.pieces(from).next().unwrap_or_default();
            let len = bytes.len().min(SEND_BYTES_MAX);
            (opcode::Send::new(fd, bytes.as_ptr(), len as u32).flags(SEND_FLAGS).build(), len)
        };
        self.push_entry(&entry.flags(Flags::SKIP_SUCCESS).user_data(token.0));
        bytes
    }

    fn enter(&mut self, how: Enter) -> io::Result<()> {
        self.buffers.publish();
        let submit = self.ring.submission().len();
        let timeout = how.timeout.map(Timespec::from);
        let arguments = SubmitArgs::new().min_wait_usec(how.min_wait_us);
        let answer = match (&timeout, how.want) {
            (_, 0) => self.enter_raw::<()>(submit, 0, None),
            (None, want) if how.min_wait_us == 0 => self.enter_raw::<()>(submit, want, None),
            (None, want) => self.enter_raw(submit, want, Some(&arguments)),
            (Some(timeout), want) => self.enter_raw(submit, want, Some(&arguments.timespec(timeout))),
        };
        if self.ring.submission().is_empty() {
            self.messages_used = 0;
        }
        match answer {
            Ok(()) => Ok(()),
            // The timeout; a signal; and momentary want of memory or of completion room, which the next turn makes.
            Err(error) => match error.raw_os_error() {
                Some(libc::ETIME | libc::EINTR | libc::EAGAIN | libc::EBUSY) => Ok(()),
                _ => Err(error),
            },
        }
    }

    #[inline]
    fn pushed(&self) -> u64 {
        self.pushed
    }

    #[inline]
    fn consumed(&self) -> u64 {
        // SAFETY: as in `room`.
        self.pushed - unsafe { self.ring.submission_shared() }.len() as u64
    }

    #[inline]
    fn overflowed(&self) -> bool {
        // SAFETY: as in `room`.
        unsafe { self.ring.submission_shared() }.cq_overflow()
    }

    #[inline]
    fn take_completions(&mut self, mut each: impl FnMut(Completion)) {
        for entry in self.ring.completion() {
            let buffer = cqueue::buffer_select(entry.flags());
            if let Some(buffer) = buffer {
                self.buffers.take(buffer);
            } else if entry.result() == -libc::ENOBUFS {
                self.buffers.ran_out();
            }
            let more = cqueue::more(entry.flags());
            each(Completion { token: Token(entry.user_data()), result: entry.result(), more, buffer });
        }
    }

    fn accepted(&mut self, completion: &Completion) -> OwnedFd {
        assert!(completion.result >= 0, "an accept that failed has no descriptor");
        // SAFETY: the kernel opened this descriptor for us and told nobody else; the caller asks once per completion.
        unsafe { OwnedFd::from_raw_fd(completion.result) }
    }

    #[inline]
    fn clock_us(&mut self) -> u64 {
        self.started.elapsed().as_micros() as u64
    }

    #[inline]
    fn received(&self, buffer: u16, len: usize) -> &[u8] {
        self.buffers.bytes(buffer, len)
    }

    #[inline]
    fn give_back(&mut self, buffer: u16) {
        self.buffers.give_back(buffer);
    }
}

impl Uring {
    /// io_uring_enter; `arguments` is the extended argument, if any.
    fn enter_raw<T>(&self, submit: usize, want: u32, arguments: Option<&T>) -> io::Result<()> {
        let mut flags = self.enter_flags;
        let (pointer, bytes) = match arguments {
            Some(arguments) => {
                flags |= EnterFlags::EXT_ARG;
                (std::ptr::from_ref(arguments), size_of::<T>())
            }
            None => (std::ptr::null(), 0),
        };
        // SAFETY: 1. The descriptor or index is that of our live ring, entered by the thread that made it. 2. Whatever
        // the submissions name is alive (`push_entry`, `send`). 3. The argument is null, or a live SubmitArgs, which is
        // laid out as the kernel's io_uring_getevents_arg and outlives the call with the timespec that it borrows.
        let answer = unsafe {
            libc::syscall(libc::SYS_io_uring_enter, self.enter_fd, submit as u32, want, flags.bits(), pointer, bytes)
        };
        if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

impl Drop for Uring {
    fn drop(&mut self) {
        // What is queued goes out first (descriptors that were to be closed), then everything that could still write to
        // the pool is ended and waited for.
        let queued = self.enter(Enter { want: 0, min_wait_us: 0, timeout: None });
        let second = Timespec::from(Duration::from_secs(1));
        let ended = self.ring.submitter().register_sync_cancel(Some(second), CancelBuilder::any().all());
        let quiet = queued.is_ok() && ended.map_or_else(|error| error.raw_os_error() == Some(libc::ENOENT), |()| true);
        if self.features.registered_ring {
            // The thread would hold the ring open until it ends.
            drop(register_ring(UNREGISTER_RING_FDS, self.ring.as_raw_fd(), self.enter_fd as u32, 0));
        }
        // SAFETY: neither field is used again, as this is the drop of the only owner. A ring that could not be quieted
        // leaves its pool mapped: a leak is the safe failure.
        unsafe {
            ManuallyDrop::drop(&mut self.ring);
            if quiet {
                ManuallyDrop::drop(&mut self.buffers);
            }
        }
    }
}

fn setup(config: &NetConfig) -> Result<IoUring, NetError> {
    let mut builder = IoUring::builder();
    builder
        .setup_single_issuer()
        .setup_defer_taskrun()
        .setup_submit_all()
        .setup_clamp()
        .setup_cqsize(config.completions)
        .dontfork();
    let refused = |error| NetError::of("io_uring_setup", "an io_uring with DEFER_TASKRUN", "6.1", error);
    // Since 6.6 submissions need no array of indices; before, the flag is unknown.
    match builder.clone().setup_no_sqarray().build(config.submissions) {
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => builder.build(config.submissions).map_err(refused),
        made => made.map_err(refused),
    }
}

/// Registers a ring descriptor with the calling thread, or takes it back, and answers its index.
fn register_ring(code: u32, ring: RawFd, offset: u32, data: u64) -> io::Result<u32> {
    let mut registration = RingRegistration { offset, reserved: 0, data };
    // SAFETY: the pointer is to one live registration in the kernel's layout, which the kernel reads and writes during
    // the call only.
    let answer = unsafe { libc::syscall(libc::SYS_io_uring_register, ring, code, &raw mut registration, 1_u32) };
    if answer == 1 { Ok(registration.offset) } else { Err(io::Error::last_os_error()) }
}
