//! Claims, starts, observes and ends runs.

mod act;
mod begin;
pub(super) mod claim;
pub(in crate::engine) mod drain;
mod end;
pub(super) mod end_queued;
mod facts;
mod gather;
pub(in crate::engine) mod lease;
pub(in crate::engine) mod log_copy;
pub(in crate::engine) mod masks;
pub(super) mod observe;
mod observed;
pub(super) mod orphans;
mod outcome;
mod place;
mod settle;
pub(super) mod sweep;
mod visitors;

pub use self::visitors::Visitors;
