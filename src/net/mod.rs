//! The ring: accept, receive, send, doorbell.
