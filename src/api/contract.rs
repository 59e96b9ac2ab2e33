//! Serves the contract, and a reference page for it.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use poem::http::header;
use poem::web::Html;
use poem::{IntoResponse as _, Response, handler};
use poem_openapi::OpenApiService;
use sha2::Digest as _;

use crate::error::Error;

/// The API contract, as served.
pub const CONTRACT: &str = include_str!("../../api-spec/openapi.yaml");
/// The contracts of the other APIs, which the reference page shows too.
const TERRAKUBE: &str = include_str!("../../api-spec/terrakube.yaml");
const CLOUD: &str = include_str!("../../api-spec/cloud.yaml");
/// The script of the reference page.
const SCRIPT: &str = include_str!("reference.js");

#[handler]
pub(super) fn contract_yaml() -> Response {
    Response::builder().content_type("application/yaml; charset=utf-8").body(CONTRACT)
}

#[handler]
pub(super) fn contract_json() -> poem::Result<Response> {
    let contract = as_json(CONTRACT).map_err(Error::internal)?;
    Ok(Response::builder().content_type("application/json").body(contract))
}

fn as_json(contract: &str) -> Result<String, serde_saphyr::Error> {
    let contract: serde_json::Value = serde_saphyr::from_str(contract)?;
    Ok(contract.to_string())
}

/// The API reference: a single page that loads no external resources, and runs no other scripts than its own.
#[handler]
pub(super) fn reference() -> poem::Result<Response> {
    let (page, policy) = REFERENCE.as_ref().map_err(|error| Error::internal(error.clone()))?;
    Ok(Html(page.as_str()).with_header(header::CONTENT_SECURITY_POLICY, policy.as_str()).into_response())
}

/// The reference page, and what it may do.
static REFERENCE: LazyLock<Result<(String, String), String>> = LazyLock::new(|| {
    let json = |contract| as_json(contract).map_err(|error| error.to_string());
    let contracts =
        format!("{{qovery: {}, terrakube: {}, cloud: {}}}", json(CONTRACT)?, json(TERRAKUBE)?, json(CLOUD)?);
    let page = OpenApiService::new((), "Windlass", env!("CARGO_PKG_VERSION")).swagger_ui_html();
    let page = with_contracts(&page, &contracts).ok_or("the page of the library has another shape")?;
    let policy = policy(&page);
    Ok((page, policy))
});

/// The policy of a page: its own scripts by their hashes, its styles, and calls of this server.
fn policy(page: &str) -> String {
    let (mut scripts, mut rest) = (String::new(), page);
    // A script may contain the beginning of such a tag as text, but not its end.
    while let Some((script, after)) = first_script(rest) {
        scripts.push_str(&format!(" 'sha256-{}'", STANDARD.encode(sha2::Sha256::digest(script))));
        rest = after;
    }
    format!(
        "default-src 'none'; script-src{scripts}; style-src 'unsafe-inline'; img-src 'self' data:; font-src data:; \
         connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// The content of the first script of a page, and the page after it.
fn first_script(page: &str) -> Option<(&str, &str)> {
    let (_, tag) = page.split_once("<script")?;
    let (_, content) = tag.split_once('>')?;
    content.split_once("</script>")
}

/// Replaces the last script of the page with the contracts and our own script.
fn with_contracts(page: &str, contracts: &str) -> Option<String> {
    let (head, rest) = page.split_once("<script>\n    let spec = ")?;
    let (_, tail) = rest.split_once("</script>")?;
    let safe = contracts.replace("</", "<\\/");
    let page = format!("{head}<script>\nconst CONTRACTS = {safe};\n{SCRIPT}</script>{tail}");
    // An empty icon, which the browser does not ask the server for.
    let title = "<link rel=\"icon\" href=\"data:,\"><title>Windlass API</title>";
    Some(page.replace("<title>Swagger UI</title>", title))
}
