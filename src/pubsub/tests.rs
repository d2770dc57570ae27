//! The registry against a model.
