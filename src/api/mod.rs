//! The Qovery-compatible JSON API: typed handlers for a contract that was written first.

mod access_token;
mod account;
mod audit;
mod caller;
mod check;
mod cluster;
mod contract;
mod environment;
mod error;
mod event;
mod git_token;
mod group;
mod history;
mod job;
mod limits;
mod member;
mod monitoring;
mod organization;
mod project;
mod project_rule;
mod registry;
mod repeat;
mod response_headers;
mod role;
mod router;
mod service;
mod socket;
mod stage;
mod status;
mod tag;
mod token;
mod variable;
mod webhook;
mod wire;

pub use self::contract::CONTRACT;
pub use self::router::{described, endpoint};
