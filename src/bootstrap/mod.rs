//! What a start creates: the first organization, the samples of the demonstration, and the greeting.

mod demo;
mod first;
mod greeting;
mod machine;

pub use self::demo::{Demo, demo};
pub use self::first::{First, first, furnish, local_cluster, templates, token};
pub use self::greeting::greeting;
