//! A measurement as json.
