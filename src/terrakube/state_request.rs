//! What a client says about a state that it writes, besides the state.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use poem::Request;

use super::error::{Problem, Result};

/// How a state is to be written.
pub(super) struct WriteRequest {
    /// The id of the lock that the client holds.
    pub(super) lock: Option<String>,
    /// Whether the state replaces one that is newer, or of another lineage.
    pub(super) is_forced: bool,
    /// The MD5 sum that the state must have, in hexadecimal digits.
    pub(super) md5: Option<String>,
}

impl WriteRequest {
    /// Reads the query and the header `Content-MD5`.
    pub(super) fn of(request: &Request) -> Result<Self> {
        let query = request.params::<Vec<(String, String)>>().unwrap_or_default();
        let find = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let is_forced = match find("force").as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(Problem::bad("force must be true or false")),
        };
        let md5 = match request.headers().get("content-md5") {
            None => None,
            Some(value) => {
                let bytes = value.to_str().ok().and_then(|text| STANDARD.decode(text.trim()).ok());
                let bytes = bytes.filter(|bytes| bytes.len() == 16);
                let bytes = bytes.ok_or_else(|| Problem::bad("Content-MD5 must be an MD5 sum in base64"))?;
                Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
            }
        };
        Ok(Self { lock: find("ID"), is_forced, md5 })
    }
}
