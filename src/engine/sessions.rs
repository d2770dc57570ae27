//! The sessions of one core, by connection.

use crate::base::ConnId;
use crate::session::Session;

/// A session is taken out while its requests run, so that they can reach everything else of the engine.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    places: Vec<Option<Box<Session>>>,
    len: usize,
    /// The one that is out.
    out: Option<ConnId>,
}

impl Sessions {
    /// Sessions, those taken out included.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Adds the session of a new connection.
    pub(super) fn insert(&mut self, session: Box<Session>) {
        let index = session.conn.index as usize;
        if index >= self.places.len() {
            self.places.resize_with(index + 1, || None);
        }
        debug_assert!(self.places[index].is_none(), "the place of a connection is reused only after it was closed");
        self.places[index] = Some(session);
        self.len += 1;
    }

    /// The session of a connection, if it still is that connection's.
    #[inline]
    pub(super) fn get_mut(&mut self, conn: ConnId) -> Option<&mut Session> {
        self.places.get_mut(conn.index as usize)?.as_deref_mut().filter(|session| session.conn == conn)
    }

    /// Takes a session out; it must come back by [`Sessions::put`] or be removed by [`Sessions::forget`].
    #[inline]
    pub(super) fn take(&mut self, conn: ConnId) -> Option<Box<Session>> {
        let taken = self.places.get_mut(conn.index as usize)?.take_if(|session| session.conn == conn)?;
        self.out = Some(conn);
        Some(taken)
    }

    /// Puts back a session that was taken out.
    #[inline]
    pub(super) fn put(&mut self, session: Box<Session>) {
        let index = session.conn.index as usize;
        self.places[index] = Some(session);
        self.out = None;
    }

    /// Whether a connection is that whose session is taken out.
    pub(super) fn is_out(&self, conn: ConnId) -> bool {
        self.out == Some(conn)
    }

    /// Takes note that a session that was taken out will not come back.
    pub(super) fn forget(&mut self) {
        self.len -= 1;
        self.out = None;
    }

    /// The sessions among `count` places from `start` on, and where to go on, if there are more places.
    pub(super) fn range(&self, start: usize, count: usize) -> (impl Iterator<Item = &Session>, Option<usize>) {
        let places = self.places.get(start..).unwrap_or_default();
        let next = (places.len() > count).then_some(start + count);
        (places[..places.len().min(count)].iter().flatten().map(|session| &**session), next)
    }

    /// All sessions that are in their place.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Session> {
        self.places.iter().flatten().map(|session| &**session)
    }

    /// All sessions that are in their place.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Session> {
        self.places.iter_mut().flatten().map(|session| &mut **session)
    }
}
