//! A client of git repositories that runs the `git` program: commits of a branch, tags, single files, and checkouts.
//!
//! By default only http and https are allowed. Calls have no terminal and a timeout. Tokens are passed to git in its
//! environment, never on its command line, and git sends them only to the hosts that they belong to.

pub use self::checkout::{Checkout, checkout, checkout_into};
pub use self::commit::Commit;
pub use self::invoke::Login;
pub use self::remote::{Tag, commits, file, tags};
pub use self::remote_refs::{Since, changed_paths, head, heads};
pub use self::ssh::SshKey;
pub use self::temp_folder::{TempFolder, remove_abandoned, write_inside};

mod checkout;
mod commit;
mod failure;
mod invoke;
/// Loads the login for a repository.
pub mod login;
mod remote;
mod remote_refs;
mod ssh;
mod temp_folder;
