//! Times, durations, sizes and log lines as text, pure.

pub mod ansi;
mod byte_size;
mod duration_text;
mod palette;
mod relative_time;
mod zoned_time;

pub use self::byte_size::byte_size;
pub use self::duration_text::{between, duration};
pub use self::relative_time::relative;
pub use self::zoned_time::{zoned, zoned_short};
