//! What every part of this face shares: bodies in and out, times, lists, unions.
//!
//! Bodies are read and written by serde, so that an error names its field; poem-openapi's types only describe them.

mod answer;
mod describe;
mod enum_name;
mod media_type;
mod meta;
mod mirror;
mod number;
mod object;
mod placeholder;
mod request_body;
mod stream;
mod timestamp;
mod union;
mod yaml;

pub(super) use self::answer::{Accepted, Answer, Blank, Created, Found, Gone, code};
pub(crate) use self::describe::described;
pub(super) use self::enum_name::{enum_name, enum_value};
pub(crate) use self::mirror::mirrored;
pub(super) use self::number::optional_number;
pub(super) use self::object::{Empty, ReferenceObject, Results};
pub(super) use self::placeholder::{Ignored, Never};
pub(super) use self::request_body::{Body, YamlBody};
pub(super) use self::stream::{Streamed, Text};
pub(super) use self::timestamp::Timestamp;
pub(crate) use self::union::one_of;
pub(super) use self::yaml::Yaml;
