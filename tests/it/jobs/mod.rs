//! Jobs, by verb.

mod answers;
mod create;
mod delete;
mod deploy;
mod edit;
mod get;
mod manual;
mod run;
mod two_writers;
mod unknown_keys;
