//! How much of a list is read at once.

/// The most rows that a list reads at once; longer ones are read page by page.
pub const PAGE: u64 = 500;
