//! Rows of any table as maps of values, for resources that need no code of their own.
//!
//! Table and column names are constants; all caller-supplied values are bound.

mod cell;
mod condition;
mod statement;

pub use self::cell::{Cell, Column, Kind, Row};
pub use self::condition::{
    all, any, column, compares, constant, has_shape, is, is_in, is_in_folded, is_in_rows, null, value_of_row,
};
pub use self::statement::{RowQuery, count, create, delete, list, lock, update};
