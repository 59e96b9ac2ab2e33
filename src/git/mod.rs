//! Calls of the machine's `git`: the newest commits of a branch, a file of it, and a whole checkout.
//!
//! Only http and https, without a terminal, each call bounded in time; a token reaches git by its environment, never
//! by its command line.

pub use self::checkout::{Checkout, checkout, checkout_into};
pub use self::commit::Commit;
pub use self::invoke::Login;
pub use self::remote::{commits, file};
pub use self::temp_folder::TempFolder;

mod checkout;
mod commit;
mod invoke;
/// The login that a repository names.
pub mod login;
mod remote;
mod temp_folder;
