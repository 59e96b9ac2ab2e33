//! Jobs, by verb.

mod create;
mod delete;
mod deploy;
mod edit;
mod get;
mod manual;
mod run;
mod unknown_keys;
