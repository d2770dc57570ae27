//! A measurement as hgrm.
