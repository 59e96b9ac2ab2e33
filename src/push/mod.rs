//! Runs on push, apart from what a delivery does at once: reads changed paths, polls repositories, and reports back.

mod deploy_pushed;
mod poll_repositories;
mod push_loop;
mod read_paths;
mod send_reports;

pub use self::deploy_pushed::{deploy_pushed, find_heads};
pub use self::poll_repositories::{LEASE, poll};
pub use self::push_loop::run;
pub use self::read_paths::read_waiting;
pub use self::send_reports::send_reports;
