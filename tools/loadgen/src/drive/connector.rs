//! Makes broken connections again, on a thread of its own, so that the worker's clock does not stop meanwhile.

use std::os::fd::OwnedFd;
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::thread;
use std::time::Duration;

use super::connect::Target;
use super::slots::SlotMap;

/// Pause after the first attempt that failed; it doubles with each, up to the longest.
const PAUSE_MIN: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_millis(500);

/// What the worker wants.
struct Wish {
    place: u32,
    server: String,
}

/// What has come of it.
pub(super) enum News {
    /// A connection for this place.
    Connected { place: u32, fd: OwnedFd },
    /// The cluster looks different now.
    Map(SlotMap),
}

/// The worker's end.
pub(super) struct Connector {
    target: Target,
    wishes: Option<Sender<Wish>>,
    news: Receiver<News>,
    /// Connections that are being made.
    pub(super) missing: usize,
    news_to: Sender<News>,
}

impl Connector {
    pub(super) fn new(target: Target) -> Self {
        let (news_to, news) = mpsc::channel();
        Self { target, wishes: None, news, missing: 0, news_to }
    }

    /// Asks for a connection to a server for this place. The thread starts with the first wish.
    pub(super) fn wish(&mut self, place: u32, server: &str) {
        self.missing += 1;
        let wishes = self.wishes.get_or_insert_with(|| {
            let (wishes, inbox) = mpsc::channel();
            let (target, news) = (self.target.clone(), self.news_to.clone());
            // Without a thread nothing is made again, and the run ends with what it has.
            let _ = thread::Builder::new().name("connector".to_owned()).spawn(move || connect(&target, &inbox, &news));
            wishes
        });
        let _ = wishes.send(Wish { place, server: server.to_owned() });
    }

    /// What has come of the wishes.
    pub(super) fn news(&mut self) -> Option<News> {
        match self.news.try_recv() {
            Ok(news) => {
                self.missing -= usize::from(matches!(news, News::Connected { .. }));
                Some(news)
            }
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => None,
        }
    }
}

/// The life of the thread: until the worker is gone.
fn connect(target: &Target, inbox: &Receiver<Wish>, news: &Sender<News>) {
    let mut open: Vec<Wish> = Vec::new();
    // Servers of a cluster, any of which can be asked for its map.
    let mut known = vec![target.server.clone()];
    let mut pause = PAUSE_MIN;
    loop {
        let next = if open.is_empty() { inbox.recv().ok() } else { None };
        open.extend(next);
        open.extend(inbox.try_iter());
        if open.is_empty() {
            return;
        }
        let before = open.len();
        let mut ended = false;
        open.retain(|wish| match target.at(&wish.server).talk().map(|dialogue| dialogue.into_socket()) {
            Ok(Ok(fd)) => {
                ended |= news.send(News::Connected { place: wish.place, fd }).is_err();
                false
            }
            _ => true,
        });
        if ended {
            return;
        }
        if open.len() < before {
            pause = PAUSE_MIN;
        }
        if open.is_empty() {
            continue;
        }
        // A server that does not come back may have been replaced.
        if target.cluster
            && let Some(map) = known.iter().find_map(|server| SlotMap::read(&target.at(server)).ok())
        {
            known.extend(map.nodes.iter().filter(|server| !known.contains(server)).cloned().collect::<Vec<_>>());
            if news.send(News::Map(map)).is_err() {
                return;
            }
        }
        match inbox.recv_timeout(pause) {
            Ok(wish) => open.push(wish),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => return,
        }
        pause = (pause * 2).min(PAUSE_MAX);
    }
}
