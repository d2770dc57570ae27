//! How large values are.

/// The sizes of values, in bytes.
#[derive(Clone, PartialEq, Debug)]
pub enum Sizes {
    /// All alike.
    Fixed(u32),
    /// Any in this range, both ends included.
    Range(u32, u32),
    /// Sizes with weights, as read from a file: cumulative weights, rising, the last is 1.
    Table(Vec<(f64, u32)>),
}

impl Default for Sizes {
    fn default() -> Self {
        Self::Fixed(64)
    }
}
pub const VALUE_BYTES_MAX: u32 = 512 << 20;
