//! One client without a socket.
