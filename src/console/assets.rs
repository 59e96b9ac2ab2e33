//! The files of the pages: one stylesheet, one script and one picture. Their names contain a hash of their content, so that a browser
//! may keep them forever.

use std::sync::LazyLock;

use flate2::Compression;
use poem::http::header;
use poem::web::Path;
use poem::{Request, Response, handler};

use super::gzip;
use crate::error::Error;
use crate::secret::TokenHash;

/// Browsers keep a file for a year and do not ask for it again.
const KEPT: &str = "public, max-age=31536000, immutable";

/// A file as it is sent.
struct Asset {
    /// With the hash of its content.
    name: String,
    content_type: &'static str,
    plain: &'static [u8],
    compressed: Option<Vec<u8>>,
}

impl Asset {
    fn new(stem: &str, extension: &str, content_type: &'static str, plain: &'static str) -> Self {
        let hash = TokenHash::of(plain).stored();
        let short = hash.get(..12).unwrap_or(&hash);
        Self {
            name: format!("{stem}.{short}.{extension}"),
            content_type,
            plain: plain.as_bytes(),
            compressed: gzip::compressed(plain.as_bytes(), Compression::best()),
        }
    }

    fn path(&self) -> String {
        format!("{}/assets/{}", super::paths::ROOT, self.name)
    }
}

static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("console", "css", "text/css; charset=utf-8", include_str!("assets/console.css")));
static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("console", "js", "text/javascript; charset=utf-8", include_str!("assets/console.js")));
static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("windlass", "svg", "image/svg+xml", include_str!("assets/windlass.svg")));

/// The address of the stylesheet.
pub(super) fn style() -> String {
    STYLE.path()
}

/// The address of the script.
pub(super) fn script() -> String {
    SCRIPT.path()
}

/// The address of the icon.
pub(super) fn icon() -> String {
    ICON.path()
}

#[handler]
pub(super) fn asset(Path(name): Path<String>, request: &Request) -> poem::Result<Response> {
    let all: [&Asset; 3] = [&STYLE, &SCRIPT, &ICON];
    let found = all.into_iter().find(|asset| asset.name == name).ok_or(Error::NotFound("file"))?;
    let response = Response::builder()
        .content_type(found.content_type)
        .header(header::CACHE_CONTROL, KEPT)
        .header(header::VARY, "Accept-Encoding");
    Ok(match &found.compressed {
        Some(bytes) if gzip::is_accepted(request.headers()) => {
            response.header(header::CONTENT_ENCODING, "gzip").body(bytes.clone())
        }
        _ => response.body(found.plain),
    })
}
