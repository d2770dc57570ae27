//! Who must be woken: one word per core that says whether it sleeps and whether a bell is already on its way.
//!
//! ```text
//!              lie_down                    claim (a sender that has news)
//!   AWAKE ─────────────────► PARKED | STALLED ─────────────────► RUNG
//!     ▲                            │      ▲                        │
//!     │           get_up           │      └──── lost (its bell) ───┤
//!     └────────────────────────────┴───────────────────────────────┘
//! ```
//!
//! **No wake-up is lost.** The sleeper stores its state, then looks at its rings once more; the sender publishes its
//! news, then looks at the state; between the two steps of each stands a SeqCst fence. Whichever fence comes first in
//! their single total order, the other side's second step sees the first step before it: either the sleeper finds
//! the news and stays awake, or the sender finds it asleep and rings. All accesses to the word may therefore be relaxed:
//! the fences order them against the rings, and the news itself travels by the ring's or the lease's release and acquire.
//!
//! **One bell per sleep.** Of several senders only the one whose exchange to RUNG succeeds rings. One that fails has
//! either lost to another, whose bell is on its way, or met an owner that has got up since; if that owner is asleep again,
//! its second look came after the sender's fence and has seen the news. A bell that arrives late wakes its core for
//! nothing, which is harmless.

use super::sync::{AtomicU32, Ordering, fence};

const AWAKE: u32 = 0;
/// Asleep; mail and returned shards ring.
const PARKED: u32 = 1;
/// Asleep with mail that a full ring refused; room in a ring rings too.
const STALLED: u32 = 2;
/// Asleep; somebody rings or has rung.
const RUNG: u32 = 3;

/// What has happened to a core that may be asleep.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum News {
    /// It has mail, or its shard is back, or its shard has something for it.
    Mail,
    /// One of its batches was consumed, so that the ring has room.
    Room,
}

#[derive(Debug)]
pub(super) struct Doorbell {
    state: AtomicU32,
}

impl Doorbell {
    pub(super) fn new() -> Self {
        Self { state: AtomicU32::new(AWAKE) }
    }

    /// The owner's first step towards sleep; its second is to look once more for everything that could ring it.
    pub(super) fn lie_down(&self, stalled: bool) {
        self.state.store(if stalled { STALLED } else { PARKED }, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    pub(super) fn get_up(&self) {
        self.state.store(AWAKE, Ordering::Relaxed);
    }

    /// Whether the caller, which has published `news` and put a SeqCst fence behind it, is to ring this core.
    pub(super) fn claim(&self, news: News) -> bool {
        let state = self.state.load(Ordering::Relaxed);
        let rings = match state {
            STALLED => true,
            PARKED => news == News::Mail,
            _ => false,
        };
        rings && self.state.compare_exchange(state, RUNG, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// The caller's bell went astray: whoever has news next must ring. STALLED, because every kind of news rings there.
    pub(super) fn lost(&self) {
        let _ = self.state.compare_exchange(RUNG, STALLED, Ordering::Relaxed, Ordering::Relaxed);
    }
}
