//! A bounded queue of owned values from one core to one other, whose places carry the spent values back.
//!
//! ```text
//!   producer's line      places (capacity, a power of two)          consumer's line
//!   ┌──────┐             ┌───────┬───────┬───────┬───────┐          ┌──────┐
//!   │ tail │             │ spent │ full  │ full  │ spent │          │ head │
//!   └──┬───┘             └───────┴───────┴───────┴───────┘          └──┬───┘
//!      │ next to fill                ▲head           ▲tail             │ next to empty
//! ```
//!
//! `head` and `tail` count up for ever (wrapping); a place is an index modulo the capacity. Places in `head..tail` hold
//! what was pushed and belong to the consumer; all others belong to the producer and hold nothing (first lap) or what
//! the consumer left there. So a push gives back the memory of a value consumed one lap ago, and pooling costs neither
//! a second queue nor an atomic operation.
//!
//! **Why it is sound.** Only the producer writes `tail`, only the consumer writes `head`. The producer fills a place
//! before its release store of `tail`; the consumer's acquire load of that `tail` makes the content visible to it. In
//! the other direction the consumer is done with a place before its release store of `head`, which the producer
//! acquires before it fills the place again. Each side keeps the last value that it saw of the other's index and
//! loads it anew only when that value says "full" or "empty": indices only grow, so an old value errs on the safe side.
#![expect(unsafe_code, reason = "a place is handed from one core to the other by an index, which no type can say")]

use super::padded::Padded;
use super::sync::{Arc, AtomicUsize, Ordering, UnsafeCell};

struct Ring<T> {
    /// Next place to fill; written by the producer.
    tail: Padded<AtomicUsize>,
    /// Next place to empty; written by the consumer.
    head: Padded<AtomicUsize>,
    places: Box<[UnsafeCell<Option<T>>]>,
}

// SAFETY: the only non-Sync part is `places`.
// 1. No two threads reach the same place at once: a place belongs to the holder of the one Producer or of the one
//    Consumer (neither is Clone), as the indices say, and changes hands by release and acquire (module header).
// 2. Values cross threads by value, in both directions, so `T: Send` suffices; no `&T` is ever shared.
unsafe impl<T: Send> Sync for Ring<T> {}

impl<T> Ring<T> {
    fn place(&self, index: usize) -> &UnsafeCell<Option<T>> {
        &self.places[index & (self.places.len() - 1)]
    }
}

/// The sending end.
pub(super) struct Producer<T> {
    ring: Arc<Ring<T>>,
    tail: usize,
    /// `head` as last seen.
    head: usize,
}

/// The receiving end.
pub(super) struct Consumer<T> {
    ring: Arc<Ring<T>>,
    head: usize,
    /// `tail` as last seen.
    tail: usize,
}

/// A ring of `capacity` places, a power of two, whose indices begin at `first` (tests begin just before they wrap).
pub(super) fn ring<T: Send>(capacity: usize, first: usize) -> (Producer<T>, Consumer<T>) {
    assert!(capacity.is_power_of_two(), "a ring's capacity is a power of two");
    let ring = Arc::new(Ring {
        tail: Padded(AtomicUsize::new(first)),
        head: Padded(AtomicUsize::new(first)),
        places: (0..capacity).map(|_| UnsafeCell::new(None)).collect(),
    });
    (Producer { ring: ring.clone(), tail: first, head: first }, Consumer { ring, head: first, tail: first })
}

impl<T: Send> Producer<T> {
    /// Appends `value` and returns what the consumer left in its place one lap ago; gives `value` back if the ring is
    /// full.
    #[inline]
    pub(super) fn push(&mut self, value: T) -> Result<Option<T>, T> {
        if !self.has_room() {
            return Err(value);
        }
        // SAFETY: obligation: no other access to this place until `tail` is published.
        // `tail - head < capacity` puts the place outside `head..tail`, so it is the producer's, and the acquire load
        // of `head` ordered the consumer's last access before this one. `&mut self` excludes a second push.
        let spent = self.ring.place(self.tail).with_mut(|place| unsafe { (*place).replace(value) });
        self.tail = self.tail.wrapping_add(1);
        self.ring.tail.store(self.tail, Ordering::Release);
        Ok(spent)
    }

    /// Whether a push would succeed.
    #[inline]
    pub(super) fn has_room(&mut self) -> bool {
        let capacity = self.ring.places.len();
        if self.tail.wrapping_sub(self.head) < capacity {
            return true;
        }
        self.head = self.ring.head.load(Ordering::Acquire);
        self.tail.wrapping_sub(self.head) < capacity
    }
}

impl<T: Send> Consumer<T> {
    /// Whether nothing was pushed that is not released yet.
    #[inline]
    pub(super) fn is_empty(&mut self) -> bool {
        if self.head == self.tail {
            self.tail = self.ring.tail.load(Ordering::Acquire);
        }
        self.head == self.tail
    }

    /// Takes the oldest value. Its place stays the consumer's until `release`, and nothing more can be taken before that.
    #[inline]
    pub(super) fn take(&mut self) -> Option<T> {
        if self.is_empty() {
            return None;
        }
        Some(self.front(|place| place.take().expect("a value is released before the next is taken")))
    }

    /// Puts back a value that was taken, to be taken again.
    #[inline]
    pub(super) fn restore(&mut self, value: T) {
        assert!(!self.is_empty(), "only what was taken can be put back");
        self.front(|place| *place = Some(value));
    }

    /// Leaves the spent value in its place and gives the place back to the producer.
    #[inline]
    pub(super) fn release(&mut self, spent: T) {
        self.restore(spent);
        self.head = self.head.wrapping_add(1);
        self.ring.head.store(self.head, Ordering::Release);
    }

    fn front<R>(&mut self, access: impl FnOnce(&mut Option<T>) -> R) -> R {
        debug_assert_ne!(
            self.head, self.tail,
            "the place at the head is the consumer's only in a ring that is not empty"
        );
        // SAFETY: obligation: no other access to this place while the reference lives.
        // The callers checked `head != tail`, so the place lies in `head..tail` and is the consumer's, and the acquire
        // load of `tail` ordered the producer's access before this one. `&mut self` excludes a second one here, and
        // the reference ends with the closure.
        self.ring.place(self.head).with_mut(|place| access(unsafe { &mut *place }))
    }
}
