//! What may come in from outside: how deep and how large a text may be, and which text can be stored. Both APIs read by these modules,
//! before any transaction.

pub mod bounds;
pub mod commit_hash;
pub mod read_json;
pub mod read_yaml;
mod refusal;
pub mod stored_text;

pub use self::refusal::{Refusal, told};
