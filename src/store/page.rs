//! The page size of lists.

/// The most rows that a list reads at once; longer lists are read page by page.
pub const PAGE: u64 = 500;
