//! A command with placeholders, ready to be encoded quickly.
