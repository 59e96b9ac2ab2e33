//! The JSON:API face: resources as tables of attributes, one document builder, one parser of queries.

pub mod query;
pub mod rsql;
