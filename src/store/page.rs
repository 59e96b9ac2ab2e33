//! The page size of lists.

/// The maximum number of rows per read; longer lists are read page by page.
pub const PAGE: u64 = 500;
