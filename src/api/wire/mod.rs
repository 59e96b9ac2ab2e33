//! Types that all resources share: request bodies, responses, times, lists and unions.
//!
//! Serde reads and writes the bodies, so that an error names the field. The poem-openapi types only describe them.

mod archive;
mod body_faults;
mod enum_name;
mod finished;
mod media_type;
mod mirror;
mod number;
mod object;
mod openapi_response;
mod openapi_type;
mod operation_schema;
mod request_body;
mod response;
mod shape;
mod stream;
mod timestamp;
mod union;
mod unknown_key;
mod unsupported;
mod warnings;
mod yaml;

pub(super) use self::archive::Archive;
pub(super) use self::enum_name::{enum_name, enum_value};
pub(super) use self::finished::{Finished, finished};
pub(super) use self::mirror::mirrored;
pub(super) use self::number::optional_number;
pub(super) use self::object::{Empty, ReferenceObject, Results};
pub(super) use self::openapi_type::described;
pub(super) use self::operation_schema::query_parameters;
pub(super) use self::request_body::{Body, FileBody, StrictBody, YamlBody};
pub(super) use self::response::{Accepted, Created, EmptyResponse, Json, NoContent, Success, code};
pub(super) use self::shape::Shape;
pub(super) use self::stream::{JsonStream, PlainText};
pub(super) use self::timestamp::Timestamp;
pub(super) use self::union::one_of;
pub(super) use self::unsupported::{Ignored, Never};
pub(super) use self::warnings::Warnings;
pub(super) use self::yaml::Yaml;
