//! Transactions across cores: numbers, intents, schedule then execute.
