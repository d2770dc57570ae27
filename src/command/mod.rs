//! What a command is: one table, lookup by name, and the argument cursor.
