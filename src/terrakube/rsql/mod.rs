//! Filters in RSQL.

mod parser;
mod syntax;
#[cfg(test)]
mod tests;

pub(super) use self::parser::parse;
pub(super) use self::syntax::{Comparison, Filter, Operator};
